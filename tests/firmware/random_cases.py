"""Random operators for the emulated kernel tests: lines for tests/firmware/cases.cc."""

from __future__ import annotations

import random


def _convolution(rng: random.Random, name: str) -> str:
    pointwise = rng.random() < 0.5
    kh, kw = (1, 1) if pointwise else (rng.randint(1, 5), rng.randint(1, 5))
    stride = 1 if pointwise else rng.randint(1, 3)
    pads = [0] * 4 if pointwise else [rng.randint(0, n // 2) for n in (kh, kw, kh, kw)]
    ci = rng.choice([rng.randint(1, 20), rng.randint(40, 60)])
    size = f"{rng.randint(kh, 9)} {rng.randint(kw, 14)} {ci} {rng.randint(1, 20)}"
    return f"{name} conv {size} {kh} {kw} {stride} {' '.join(map(str, pads))}"


def _depthwise(rng: random.Random, name: str) -> str:
    k, stride, c = rng.choice([3, 5, 7]), rng.choice([1, 2]), rng.randint(4, 21)
    width = rng.choice([rng.randint(k, 15), rng.randint(38, 50)])
    left = k // 2 if stride == 1 else rng.randint(0, k // 2)
    top, bottom, right = (rng.randint(0, k // 2) for _ in range(3))
    return f"{name} depthwise {rng.randint(k, 15)} {width} {c} {c} {k} {k} {stride} {top} {left} {bottom} {right}"


def _fully_connected(rng: random.Random, name: str) -> str:
    return f"{name} fc 1 1 {rng.randint(1, 300)} {rng.randint(1, 20)} 1 1 1 0 0 0 0"


def _add(rng: random.Random, name: str) -> str:
    c = rng.randint(1, 20)
    return f"{name} add {rng.randint(1, 6)} {rng.randint(1, 9)} {c} {c} 1 1 1 0 0 0 0"


def random_lines(seed: int, count: int) -> list[str]:
    """`count` operators; half have multipliers, shifts, biases and weights at the extremes, a quarter weights of 4 bits."""
    rng = random.Random(seed)
    lines = []
    for i in range(count):
        make = rng.choice([_convolution, _convolution, _depthwise, _depthwise, _fully_connected, _add])
        line = make(rng, f"case{i}")
        activation = rng.choice(["none", "relu", "relu6"])
        flavour = rng.choice(["plain", "extreme", "extreme", "w4"])
        rows = 1 if " fc " in line else rng.choice([1, 1, 2, 3, 5])
        lines.append(f"{line} {activation} {flavour} {rows} 0 {seed * 1000 + i}")
    return lines
