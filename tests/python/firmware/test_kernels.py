"""Kernels of every instruction set on emulated cores: byte for byte what the reference interpreter computes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "firmware"))

import emulator
import random_cases

CORES = [
    ("cortex-m7", "dsp"),
    ("cortex-m4", "dsp"),
    ("cortex-m33", "dsp"),
    ("cortex-m55", "helium"),
    ("cortex-m55", "dsp"),
    ("cortex-m3", "thumb2"),
    ("cortex-m3", "portable"),
]


def _program() -> Path:
    program = emulator.find_cases_program()
    if emulator.missing_tools() or program is None:
        pytest.skip(f"needs firmware_cases built and {', '.join(emulator.missing_tools()) or 'nothing else'}")
    return program


@pytest.mark.parametrize(("core", "kernel_set"), CORES)
def test_random_operators(core: str, kernel_set: str, tmp_path: Path) -> None:
    seed = CORES.index((core, kernel_set)) + 7
    lines = random_cases.random_lines(seed, count=60, planar_rows=kernel_set == "dsp")
    results = emulator.run(core, emulator.build(core, kernel_set, lines, tmp_path, _program()))
    assert len(results) == len(lines)
    assert [r for r in results if r.verdict != "ok"] == []


# Height and width: every tail of a row of blocks, rows longer than a strip, whole maps of 3 x 3.
TAILS = [(3, 3), (5, 1), (5, 2), (5, 5), (7, 9), (4, 13), (3, 11), (9, 45), (6, 41)]


@pytest.mark.parametrize("planar", [0, 1])
def test_every_tail_of_depthwise_rows(planar: int, tmp_path: Path) -> None:
    lines = [
        f"{activation}{flavour}s{stride}_{h}x{w} depthwise {h} {w} 5 5 3 3 {stride} 1 1 1 1 "
        f"{activation} {flavour} 4 {planar} {h}"
        for h, w in TAILS
        for stride in (1, 2)
        for activation, flavour in (("relu6", "plain"), ("relu", "dead"), ("none", "extreme"))
    ]
    results = emulator.run("cortex-m7", emulator.build("cortex-m7", "dsp", lines, tmp_path, _program()))
    assert len(results) == len(lines)
    assert [r for r in results if r.verdict != "ok"] == []


def test_planar_rows_of_several_channels_unpacked_together(tmp_path: Path) -> None:
    """Their strips lie side by side, the padding between two of them in the first one's last word. The map's zero point
    follows from the seed: -128 for 7, which the kernels of whole rows want."""
    lines = [
        f"{flavour}{seed}k{k}s{stride}_{w}x{channels} depthwise 7 {w} {channels} {channels} {k} {k} {stride} "
        f"1 {k // 2} 1 {k // 2} {activation} {flavour} 4 1 {seed}"
        for w, channels in ((5, 8), (6, 12), (7, 10), (9, 8), (10, 6), (13, 8), (3, 16))
        for k, stride in ((3, 1), (3, 2), (5, 1), (7, 1))
        for activation, flavour, seed in (("relu6", "plain", 7), ("relu6", "plain", 8), ("relu", "extreme", 7))
    ]
    results = emulator.run("cortex-m7", emulator.build("cortex-m7", "dsp", lines, tmp_path, _program()))
    assert len(results) == len(lines)
    assert [r for r in results if r.verdict != "ok"] == []


def test_stride_2_reads_planar_rows_where_they_lie(tmp_path: Path) -> None:
    """Padding on either side, every tail, first and last rows of padding or none."""
    lines = [
        f"{side}_{h}x{w} depthwise {h} {w} 6 6 3 3 2 {top} {1 - side} {bottom} {side} {activation} {flavour} 3 1 7"
        for side in (0, 1)
        for h, w, top, bottom in ((8, 8, 1, 0), (7, 12, 0, 0), (8, 16, 0, 1), (9, 20, 1, 1), (5, 100, 1, 1))
        for activation, flavour in (("relu6", "plain"), ("relu", "dead"), ("relu6", "w4"), ("relu", "extreme"))
    ]
    image = emulator.build("cortex-m7", "dsp", lines, tmp_path, _program())
    results = emulator.run("cortex-m7", image)
    assert [r for r in results if r.verdict != "ok"] == []
    calls = (tmp_path / "cases.c").read_text()
    assert min(calls.count(f".kernel = tn_dsp_rows_3x3s2_{side}") for side in ("left", "right")) >= 10


def test_whole_maps_under_7x7_windows(tmp_path: Path) -> None:
    """All rows in one step: every height that has a kernel of its own, the next one, every tail, slower channels."""
    lines = [
        f"{activation}{flavour}{h}x{w} depthwise {h} {w} 6 6 7 7 1 3 3 3 3 {activation} {flavour} {h} 1 7"
        for h in (2, 3, 4, 5, 6)
        for w in (2, 3, 5, 6, 9, 12, 41)
        for activation, flavour in (("relu6", "plain"), ("relu", "dead"), ("none", "extreme"))
    ]
    results = emulator.run("cortex-m7", emulator.build("cortex-m7", "dsp", lines, tmp_path, _program()))
    assert len(results) == len(lines)
    assert [r for r in results if r.verdict != "ok"] == []
    assert (tmp_path / "cases.c").read_text().count(".kernel = tn_dsp_lanes_map_7x7") == 4 * 7 * 3


def test_few_inputs_into_planar_rows(tmp_path: Path) -> None:
    """Weights of 16 bits: rows of whole words and others, whose last block overlaps the one before, across rows too;
    odd numbers of channels; 2 to 16 steps of two input channels; channels that do not allow it."""
    lines = [
        f"{activation}{flavour}{h}x{w}_{ci} conv {h} {w} {ci} {co} 1 1 1 0 0 0 0 {activation} {flavour} {rows} 1 {ci}"
        for h, w, rows in ((3, 4, 2), (5, 5, 5), (4, 6, 3), (3, 7, 1), (6, 10, 4), (5, 13, 2), (2, 40, 2))
        for ci, co in ((3, 2), (8, 5), (17, 8), (32, 3))
        for activation, flavour in (("relu6", "plain"), ("relu", "dead"), ("relu", "extreme"))
    ] + [
        f"window{h}x{w} conv {h} {w} {ci} 7 {k} {k} {stride} {pad} {pad} {pad} {pad} relu6 plain 2 1 {h}"
        for h, w, ci, k, stride, pad in (
            (9, 8, 3, 3, 1, 1),
            (8, 15, 3, 3, 2, 1),
            (7, 12, 1, 5, 1, 2),
            (5, 14, 2, 3, 1, 0),
        )
    ]
    results = emulator.run("cortex-m7", emulator.build("cortex-m7", "dsp", lines, tmp_path, _program()))
    assert len(results) == len(lines)
    assert [r for r in results if r.verdict != "ok"] == []
    assert (tmp_path / "cases.c").read_text().count(".kernel = tn_dsp_tile_w16") >= 50


def test_a_wrong_answer_is_seen(tmp_path: Path) -> None:
    """The firmware compares with the interpreter: a changed checksum must be reported."""
    line = "small conv 4 4 8 8 1 1 1 0 0 0 0 relu6 plain 1 0 5"
    emulator.build("cortex-m7", "dsp", [line], tmp_path, _program())
    cases = tmp_path / "cases.c"
    changed = cases.read_text().replace("u, 1, ", "u + 1u, 1, ")
    assert changed != cases.read_text()
    cases.write_text(changed)
    image = emulator.link("cortex-m7", "dsp", tmp_path)
    assert [r.verdict for r in emulator.run("cortex-m7", image)] == ["WRONG"]


@pytest.mark.parametrize(
    ("line", "most_per_mac", "most_per_output"),
    [
        ("pw conv 20 20 48 144 1 1 1 0 0 0 0 relu6 plain 1 0 7", 0.95, None),
        ("pw conv 20 20 48 16 1 1 1 0 0 0 0 none plain 1 0 7", 0.95, None),
        ("pw conv 25 5 64 64 1 1 1 0 0 0 0 relu plain 4 1 7", 0.95, None),
        ("pw conv 40 40 8 48 1 1 1 0 0 0 0 relu6 plain 2 1 7", 1.4, None),
        ("pw conv 48 48 8 16 1 1 1 0 0 0 0 relu6 plain 4 1 7", 1.5, None),
        ("pw conv 10 10 24 144 1 1 1 0 0 0 0 relu6 plain 4 1 7", 0.95, None),
        ("dw depthwise 40 40 16 16 3 3 1 1 1 1 1 relu6 plain 5 1 9", None, 15.0),
        ("dw depthwise 20 20 48 48 3 3 1 1 1 1 1 relu6 plain 8 1 9", None, 15.0),
        ("dw depthwise 40 40 48 48 3 3 2 1 1 0 0 relu6 plain 2 1 7", None, 16.5),
        ("dw depthwise 48 48 16 16 3 3 2 0 0 1 1 relu6 plain 2 1 7", None, 16.5),
        ("dw depthwise 25 5 64 64 3 3 1 1 1 1 1 relu6 plain 11 1 9", None, 15.0),
        ("dw depthwise 6 6 128 128 3 3 1 1 1 1 1 relu6 plain 6 1 9", None, 13.5),
        ("dw depthwise 5 5 64 64 7 7 1 3 3 3 3 relu6 plain 5 1 7", None, 48.0),
        ("dw depthwise 3 3 64 64 3 3 1 1 1 1 1 relu6 plain 3 1 9", None, 12.0),
        ("pw conv 20 20 144 40 1 1 1 0 0 0 0 none plain 1 0 7", 0.95, None),
        ("pw conv 20 20 16 96 1 1 1 0 0 0 0 relu6 plain 1 0 7", 1.5, None),
        ("stem conv 80 80 3 16 3 3 2 0 0 1 1 relu6 plain 1 0 3", 1.3, None),
        ("stem conv 49 10 1 64 10 4 2 4 1 5 1 relu plain 1 1 3", 1.3, None),
        ("add add 20 20 16 16 1 1 1 0 0 0 0 none plain 1 0 99", None, 8.0),
    ],
)
def test_instructions_on_m7(
    line: str, most_per_mac: float | None, most_per_output: float | None, tmp_path: Path
) -> None:
    result = emulator.run("cortex-m7", emulator.build("cortex-m7", "dsp", [line], tmp_path, _program()))[0]
    assert result.verdict == "ok"
    if most_per_mac is not None:
        assert result.instructions / result.macs <= most_per_mac
    if most_per_output is not None:
        assert result.instructions / result.outputs <= most_per_output


@pytest.mark.parametrize(
    ("line", "most_per_mac", "most_per_output"),
    [
        ("pw conv 10 10 144 24 1 1 1 0 0 0 0 none plain 2 0 7", 2.1, None),
        ("pw conv 20 20 16 48 1 1 1 0 0 0 0 relu6 plain 1 0 7", 3.0, None),
        ("conv conv 8 8 32 32 3 3 1 1 1 1 1 relu plain 2 0 7", 2.1, None),
        ("dw depthwise 20 20 48 48 3 3 1 1 1 1 1 relu6 plain 1 0 7", None, 48.0),
        ("dw depthwise 5 5 48 48 5 5 1 2 2 2 2 relu6 plain 5 0 7", None, 100.0),
    ],
)
def test_instructions_on_m3(
    line: str, most_per_mac: float | None, most_per_output: float | None, tmp_path: Path
) -> None:
    result = emulator.run("cortex-m3", emulator.build("cortex-m3", "thumb2", [line], tmp_path, _program()))[0]
    assert result.verdict == "ok"
    if most_per_mac is not None:
        assert result.instructions / result.macs <= most_per_mac
    if most_per_output is not None:
        assert result.instructions / result.outputs <= most_per_output


# Output channels follow input channels; two rows of 20 pixels, four of 10 or five of 5 at once.
POINTWISE = [(16, 96, "relu6"), (48, 144, "relu6"), (96, 24, "none"), (144, 40, "none"), (240, 40, "none")]


@pytest.mark.parametrize(("size", "rows"), [(20, 2), (10, 4), (5, 5)])
def test_four_bits_against_eight_on_m7(size: int, rows: int, tmp_path: Path) -> None:
    """The same layers: w4a8 takes at most 1.06 times int8's instructions, w4a4 with 48 inputs and more at most 0.70."""
    flavours = ("plain", "w4", "w4a4")
    lines = [
        f"{flavour}{ci} conv {size} {size} {ci} {co} 1 1 1 0 0 0 0 {activation} {flavour} {rows} 0 7"
        for ci, co, activation in POINTWISE
        for flavour in flavours
    ]
    results = emulator.run("cortex-m7", emulator.build("cortex-m7", "dsp", lines, tmp_path, _program()))
    assert {r.verdict for r in results} == {"ok"}
    instructions = {r.name: r.instructions for r in results}
    for ci, _, _ in POINTWISE:
        assert instructions[f"w4{ci}"] <= 1.06 * instructions[f"plain{ci}"], ci
        if ci >= 48:
            assert instructions[f"w4a4{ci}"] <= 0.70 * instructions[f"plain{ci}"], ci


# Instructions per MAC that the Helium kernels may take.
ON_M55 = {
    "pw conv 20 20 8 48 1 1 1 0 0 0 0 relu6 plain 1 0 7": 0.55,
    "pw conv 20 20 16 96 1 1 1 0 0 0 0 relu6 plain 1 0 7": 0.27,
    "pw conv 20 20 48 144 1 1 1 0 0 0 0 relu6 plain 1 0 7": 0.18,
    "pw conv 20 20 144 40 1 1 1 0 0 0 0 none plain 1 0 7": 0.14,
    "stem conv 80 80 3 16 3 3 2 0 0 1 1 relu6 plain 1 0 3": 0.36,
    "conv conv 8 8 64 64 3 3 1 1 1 1 1 relu plain 2 0 3": 0.14,
    "dw3s1 depthwise 20 20 48 48 3 3 1 1 1 1 1 relu6 plain 10 0 9": 0.8,
    "dw5s1 depthwise 10 10 120 120 5 5 1 2 2 2 2 relu6 plain 10 0 9": 0.68,
}


def test_instructions_on_m55(tmp_path: Path) -> None:
    image = emulator.build("cortex-m55", "helium", list(ON_M55), tmp_path, _program())
    for result, most in zip(emulator.run("cortex-m55", image), ON_M55.values(), strict=True):
        assert result.verdict == "ok", result
        assert result.instructions / result.macs <= most, result
