"""One network in three formats: packed weights, packed rows, and firmware whose outputs are the interpreter's."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench" / "cortex_m"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "graph"))

import formats
import tinynas._core as _core
from float_networks import mobile_network

from tinynas.models import load_model

VWW = Path(__file__).resolve().parents[4] / "shared" / "data" / "tinyengine" / "vww_int8_io.tflite"
WEIGHTED = ("conv2d", "depthwise_conv2d", "fully_connected")


@pytest.mark.skipif(not VWW.is_file(), reason="the published network lies in ../shared")
def test_four_bits_halve_flash_and_rows_of_the_published_network() -> None:
    network = formats.float_network(load_model(str(VWW)))
    oracle = _core.make_oracle("streaming", _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed))
    costs = {form: oracle.cost(formats.in_format(network, form)) for form in formats.FORMATS}
    sizes = [math.prod(network.tensors[o.inputs[1]].shape) for o in network.operators if o.kind in WEIGHTED]
    saved = sum(size // 2 for size in sizes[1:-1])  # the ends keep their 8 bits
    assert costs["w8a8"].flash_bytes - costs["w4a8"].flash_bytes == saved
    adds = sum(operator.kind == "add" for operator in network.operators)
    assert costs["w4a4"].flash_bytes == costs["w4a8"].flash_bytes + 256 * adds  # of 4-bit maps: a table of all pairs
    assert costs["w4a8"].sram_bytes == costs["w8a8"].sram_bytes
    assert costs["w4a4"].sram_bytes <= 0.55 * costs["w8a8"].sram_bytes


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)
@pytest.mark.parametrize("core", ["cortex-m7", "cortex-m55"])
def test_firmware_of_every_format_computes_what_the_interpreter_does(core: str, tmp_path: Path) -> None:
    network = mobile_network(2)
    for form in formats.FORMATS:  # measure() compares the outputs
        measured = formats.measure(formats.in_format(network, form), form, core, tmp_path / form)
        assert measured.instructions > 0
