"""Random operators for the emulated kernel tests: lines for tests/firmware/cases.cc."""

from __future__ import annotations

import random


def _convolution(rng: random.Random, name: str) -> str:
    pointwise = rng.random() < 0.5
    kh, kw = (1, 1) if pointwise else (rng.randint(1, 5), rng.randint(1, 5))
    stride = 1 if pointwise else rng.randint(1, 3)
    pads = [0] * 4 if pointwise else [rng.randint(0, n // 2) for n in (kh, kw, kh, kw)]
    ci = rng.choice([rng.randint(1, 20), rng.randint(40, 60), 8 * rng.randint(1, 20)])
    co = rng.choice([rng.randint(1, 20), 4 * rng.randint(1, 6)])
    size = f"{rng.randint(kh, 9)} {rng.randint(kw, 14)} {ci} {co}"
    return f"{name} conv {size} {kh} {kw} {stride} {' '.join(map(str, pads))}"


def _depthwise(rng: random.Random, name: str) -> str:
    """What the quick kernels are for, and any other window."""
    k, stride, c = rng.choice([3, 5, 7]), rng.choice([1, 2]), rng.randint(4, 21)
    kh = kw = k
    if rng.random() < 0.4:
        kh, kw, stride, c = rng.randint(1, 8), rng.randint(1, 9), rng.randint(1, 3), rng.randint(1, 21)
    width = rng.choice([rng.randint(kw, 15), rng.randint(38, 50)])
    left = kw // 2 if stride == 1 else rng.randint(0, kw // 2)
    top, bottom, right = (rng.randint(0, n // 2) for n in (kh, kh, kw))
    return f"{name} depthwise {rng.randint(kh, 15)} {width} {c} {c} {kh} {kw} {stride} {top} {left} {bottom} {right}"


def _fully_connected(rng: random.Random, name: str) -> str:
    return f"{name} fc 1 1 {rng.randint(1, 300)} {rng.randint(1, 20)} 1 1 1 0 0 0 0"


def _add(rng: random.Random, name: str) -> str:
    c = rng.randint(1, 20)
    return f"{name} add {rng.randint(1, 6)} {rng.randint(1, 9)} {c} {c} 1 1 1 0 0 0 0"


def _may_be_planar(line: str) -> bool:
    """Convolutions write planar rows; depthwise convolutions that the DSP set has bodies for read them."""
    kind, (kh, kw, stride) = line.split()[1], map(int, line.split()[6:9])
    return kind == "conv" or (kind == "depthwise" and kh == kw and kh in (3, 5, 7) and stride <= 2)


def random_lines(seed: int, count: int, planar_rows: bool) -> list[str]:
    """`count` operators: some with multipliers, shifts, biases and weights at the extremes, some with dead channels,
    some of 4 bits.

    With `planar_rows` half of the convolutions write planar rows, or read them.
    """
    rng = random.Random(seed)
    lines = []
    for i in range(count):
        make = rng.choice([_convolution, _convolution, _depthwise, _depthwise, _fully_connected, _add])
        line = make(rng, f"case{i}")
        activation = rng.choice(["none", "relu", "relu6"])
        flavour = rng.choice(["plain", "extreme", "extreme", "dead", "w4", "w4a4", "ends"])
        rows = 1 if " fc " in line else rng.choice([1, 1, 2, 3, 5])
        planar = int(planar_rows and flavour not in ("w4a4", "ends") and _may_be_planar(line) and rng.random() < 0.5)
        lines.append(f"{line} {activation} {flavour} {rows} {planar} {seed * 1000 + i}")
    return lines
