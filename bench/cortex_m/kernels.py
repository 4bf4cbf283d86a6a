"""Instructions of the kernels over a grid of shapes on an emulated core.

    python bench/cortex_m/kernels.py --core cortex-m7 [--out kernels.csv]

Every case is compared with the reference interpreter. Needs the host program firmware_cases (built with the tests),
arm-none-eabi-gcc and qemu-system-arm.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "firmware"))

import emulator

SETS = {"cortex-m3": "thumb2", "cortex-m4": "dsp", "cortex-m7": "dsp", "cortex-m33": "dsp", "cortex-m55": "helium"}


def grid(planar: int) -> list[str]:
    """Lines for tests/firmware/cases.cc: pointwise, depthwise, convolutions, ADD; names say the shape.

    `planar` 1: activated pointwise convolutions write planar rows, depthwise ones read them.
    """
    lines = []
    for ci, co, activation in [
        (8, 48, "relu6"),
        (16, 96, "relu6"),
        (24, 144, "relu6"),
        (48, 144, "relu6"),
        (64, 64, "relu6"),
    ]:
        lines += [_pointwise(ci, co, size, activation, planar) for size in (3, 5, 10, 20)]
    for ci, co in [(48, 8), (48, 16), (96, 24), (144, 40), (240, 40), (480, 96)]:
        lines += [_pointwise(ci, co, size, "none", 0) for size in (3, 5, 10, 20)]
    for k in (3, 5, 7):
        for stride in (1, 2):
            for size in (3, 5, 10, 20, 40):
                lines += [_depthwise(k, stride, size, rows, planar) for rows in (1, 4)]
    lines.append("conv3x3s2_80x80x3_16 conv 80 80 3 16 3 3 2 0 0 1 1 relu6 plain 1 0 3")
    lines.append("conv10x4s2_49x10x1_64 conv 49 10 1 64 10 4 2 4 1 5 1 relu plain 1 0 3")
    for size, c in [(32, 16), (16, 32), (8, 64)]:
        lines.append(f"conv3x3s1_{size}x{size}x{c}_{c} conv {size} {size} {c} {c} 3 3 1 1 1 1 1 relu plain 1 0 3")
        lines.append(f"add_{size}x{size}x{c} add {size} {size} {c} {c} 1 1 1 0 0 0 0 none plain 1 0 99")
    for ci, co, activation in [(16, 96, "relu6"), (48, 144, "relu6"), (96, 24, "none"), (144, 40, "none")]:
        for flavour in ("w4", "w4a4"):
            plane = planar if flavour == "w4" and activation != "none" else 0
            lines += [_pointwise(ci, co, size, activation, plane, flavour) for size in (10, 20)]
    lines.append("fc_160_1000 fc 1 1 160 1000 1 1 1 0 0 0 0 none plain 1 0 3")
    return lines


def _pointwise(ci: int, co: int, size: int, activation: str, planar: int, flavour: str = "plain") -> str:
    pixels = 16 if flavour == "plain" else 32
    rows = min(size, (pixels + size - 1) // size)
    name = f"pw_{ci}_{co}_{size}x{size}_rows{rows}" + (f"_{flavour}" if flavour != "plain" else "")
    return f"{name} conv {size} {size} {ci} {co} 1 1 1 0 0 0 0 {activation} {flavour} {rows} {planar} 7"


def _depthwise(k: int, stride: int, size: int, rows: int, planar: int) -> str:
    p = k // 2
    name = f"dw{k}x{k}s{stride}_{size}x{size}x48_rows{rows}"
    return f"{name} depthwise {size} {size} 48 48 {k} {k} {stride} {p} {p} {p} {p} relu6 plain {rows} {planar} 9"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", choices=sorted(SETS), default="cortex-m7")
    parser.add_argument("--out", type=Path, help="CSV file")
    args = parser.parse_args()
    program = emulator.find_cases_program()
    if emulator.missing_tools() or program is None:
        print(f"missing: {', '.join(emulator.missing_tools()) or 'firmware_cases (build the tests)'}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        kernel_set = SETS[args.core]
        lines = grid(int(kernel_set == "dsp"))
        image = emulator.build(args.core, kernel_set, lines, Path(folder), program)
        results = emulator.run(args.core, image)
    rows = [[r.name, r.instructions, r.macs, r.outputs, r.verdict] for r in results]
    for r in results:
        per_mac = f"{r.instructions / r.macs:8.3f}" if r.macs else "       -"
        per_output = f"{r.instructions / r.outputs:9.2f}"
        print(f"{r.name:36s} {r.instructions:10d} {per_mac} insn/MAC {per_output} insn/output  {r.verdict}")
    if args.out:
        with args.out.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["kernel", "instructions", "macs", "outputs", "verdict"])
            writer.writerows(rows)
    return 0 if all(r.verdict == "ok" for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
