"""How long our engine takes: instructions of every operator from its shape, then cycles by a stated factor.

`engine_latency.json` holds, by core and kind of operator, instructions per MAC, output element, input element, output
row and operator; `bench/cortex_m/calibrate.py` fits them to traced firmware (speed preferred) and states the error.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

from tinynas import _core

TABLE = Path(__file__).with_name("engine_latency.json")

INSTRUCTIONS_PER_CYCLE = {
    "cortex-m0": 0.65,
    "cortex-m0plus": 0.65,
    "cortex-m3": 0.75,
    "cortex-m4": 0.8,
    "cortex-m33": 0.85,
    "cortex-m7": 1.2,
    "cortex-m55": 0.8,
}
"""Turns counted instructions into cycles: an estimate. M7 lies between what the published latencies of two engines give
(1.03 and 1.37); single-issue cores lose to loads and branches what their manuals' cycle tables say."""

Features = tuple[float, float, float, float, float]
"""MACs, output elements, input elements, output rows, 1."""

_SAME_KERNELS = {"cortex-m4": "cortex-m7", "cortex-m33": "cortex-m7"}
"""Cores that run another one's instructions, give or take 3 %."""


def kind_of(graph: _core.Graph, index: int) -> str:
    """The kind that an operator is fitted as: "pointwise", "conv", "depthwise3", "add", ..."""
    operator = graph.operators[index]
    if operator.kind not in ("conv2d", "depthwise_conv2d"):
        return str(operator.kind)
    _, height, width, _ = graph.tensors[operator.inputs[1]].shape
    if operator.kind == "conv2d":
        return "pointwise" if height == width == 1 else "conv"
    return f"depthwise{next((size for size in (3, 5) if max(height, width) <= size), 7)}"


def features_of(graph: _core.Graph, index: int) -> Features:
    """What the instructions of an operator are a linear function of, within its kind."""
    operator = graph.operators[index]
    output = graph.tensors[operator.outputs[0]].shape
    rows = output[1] if len(output) == 4 else 1
    inputs = math.prod(graph.tensors[operator.inputs[0]].shape)
    return float(graph.operator_macs(index)), float(math.prod(output)), float(inputs), float(rows), 1.0


@cache
def _fits() -> dict[str, dict[str, list[float]]]:
    fits: dict[str, dict[str, list[float]]] = json.loads(TABLE.read_text())
    return fits


def operator_instructions(graph: _core.Graph, core: str) -> list[float] | None:
    """Instructions of every operator on a core, image streamed and speed preferred; None for a core without a fit."""
    fits = _fits().get(_SAME_KERNELS.get(core, core))
    if fits is None:
        return None
    return [
        sum(f * v for f, v in zip(fits.get(kind_of(graph, i), fits["other"]), features_of(graph, i), strict=True))
        for i in range(len(graph.operators))
    ]


def microseconds(instructions: float, core: str, clock_hz: float) -> float:
    """Time that as many instructions take on a core at a clock."""
    return 1e6 * instructions / INSTRUCTIONS_PER_CYCLE[core] / clock_hz
