"""Published models through `deploy`, layer by layer. scripts/golden_layers.py runs all of them on all cores."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "scripts"))

import golden_layers

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir() or shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs ../shared/data, gcc-arm-none-eabi and qemu-system-arm",
)


@pytest.mark.parametrize(
    ("model", "target", "schedule"),
    [("kws_ref_model", "qemu-m7", "layerwise"), ("pretrainedResnet_quant", "qemu-m55", "tinyengine")],
)
def test_every_layer_is_golden(model: str, target: str, schedule: str, tmp_path: Path) -> None:
    wrong, report = golden_layers.check(golden_layers.Case(model, target, schedule, "speed"), DATA, tmp_path)
    assert wrong == []
    checked = {layer["index"]: layer["crc32"] for layer in report["layers"] if layer["crc32"]}
    report["layers"][next(iter(checked))]["crc32"] = "00000000"
    assert golden_layers.differences(DATA, model, report) != []
