#!/usr/bin/env python3
"""Deploys the four published models and compares every layer with TensorFlow Lite Micro's, on every core.

    scripts/golden_layers.py [--data ../shared/data] [--model kws_ref_model ...] [--target qemu-m7 ...]
                             [--schedule layerwise ...] [--prefer speed ...]

All models, targets (host and the five emulated cores), schedules (streaming, layerwise, tinyengine) and both
preferences (of streaming) where nothing else is said. A deployment proves its output, its arena to the byte and its
Flash to 1 %; this adds the CRC-32 of every layer. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from tinynas.deploy import DeployOptions, deploy  # noqa: E402
from tinynas.deploy.boards import EMULATED  # noqa: E402
from tinynas.errors import CheckError  # noqa: E402
from tinynas.models import load_model  # noqa: E402

MODELS = {
    "te_vww_i8": "tinyengine/vww_int8_io.tflite",
    "kws_ref_model": "mlperf_tiny/kws_ref_model.tflite",
    "pretrainedResnet_quant": "mlperf_tiny/pretrainedResnet_quant.tflite",
    "vww_96_int8": "mlperf_tiny/vww_96_int8.tflite",
}
SCHEDULES = ("streaming", "layerwise", "tinyengine")


@dataclass(frozen=True)
class Case:
    """One deployment."""

    model: str
    target: str
    schedule: str
    prefer: str


def golden_layers(data: Path, model: str) -> dict[int, int]:
    """CRC-32 of what every operator of the file writes."""
    with (data / f"golden/layers_{model}.csv").open() as file:
        return {int(row["idx"]): int(row["out_crc32_bytes"], 16) for row in csv.DictReader(file)}


def differences(data: Path, model: str, report: dict[str, Any]) -> list[str]:
    """Layers and outputs of a deployment that are not the golden ones. PAD may have been folded."""
    golden = golden_layers(data, model)
    layers = {layer["index"]: layer for layer in report["layers"] if layer["index"] is not None}
    wrong = [
        f"layer {index} ({layers[index]['operator']})"
        for index, crc in golden.items()
        if layers[index]["crc32"] is not None and int(layers[index]["crc32"], 16) != crc
    ]
    if not any(layer["crc32"] for layer in layers.values()):
        wrong.append("no layer was checked")
    for number, path in enumerate(report["outputs"]):
        if Path(path).read_bytes() != (data / f"golden/golden_{model}_output{number}.bin").read_bytes():
            wrong.append(f"output {number}")
    return wrong


def check(case: Case, data: Path, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """What differs, and the deployment's report."""
    options = DeployOptions(
        schedule=case.schedule,
        prefer=case.prefer,
        shrink=False,
        run=True,
        check_layers=True,
        input_files=[data / f"golden/golden_{case.model}_input.bin"],
    )
    report = deploy(load_model(data / MODELS[case.model]), case.target, folder, options)
    return differences(data, case.model, report), report


def line(case: Case, wrong: list[str], report: dict[str, Any]) -> str:
    """One case in words."""
    checked = sum(layer["crc32"] is not None for layer in report["layers"])
    millions = f"{report['instructions'] / 1e6:.2f} M" if report["instructions"] else "-"
    flash, predicted = report["flash"]["total_bytes"], report["predicted"]["flash_bytes"]
    off = f"{100 * (predicted / flash - 1):+.2f} %" if flash else "-"
    return (
        f"{case.model:24s}{case.target:10s}{case.schedule:11s}{case.prefer:7s}{checked:4d} layers  {millions:>9s}  "
        f"arena {report['sram']['arena_bytes']:7,d}  Flash prediction {off:>8s}  "
        + ("equal" if not wrong else "DIFFERENT: " + ", ".join(wrong))
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    targets = ("host", *EMULATED)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--target", nargs="*", choices=targets, default=targets)
    parser.add_argument("--schedule", nargs="*", choices=SCHEDULES, default=SCHEDULES)
    parser.add_argument("--prefer", nargs="*", choices=("speed", "memory"), default=("speed", "memory"))
    args = parser.parse_args()
    bad = 0
    for target, schedule, prefer, model in product(args.target, args.schedule, args.prefer, args.model):
        if schedule != "streaming" and prefer != args.prefer[0]:
            continue
        case = Case(model, target, schedule, prefer)
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong, report = check(case, args.data, Path(folder))
            except CheckError as error:
                bad += 1
                print(f"{model:24s}{target:10s}{schedule:11s}{prefer:7s}{error}", flush=True)
                continue
        bad += bool(wrong)
        print(line(case, wrong, report), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
