"""Bits of a network's layers: uniform, or chosen block by block from measured quantised networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from tinynas.errors import InfeasibleError

if TYPE_CHECKING:
    import tinynas._core as _core

Fits = Callable[[Sequence[str]], bool]
"""Whether the network in the given formats (one per operator) stays within the limits."""
AccuracyOf = Callable[[Sequence[str]], float]
"""Measured accuracy of the network quantised to the given formats."""


class Bits(StrEnum):
    """What `--bits` takes."""

    eight = "8"
    four = "4"
    w4a8 = "w4a8"
    mixed = "mixed"


UNIFORM = {Bits.eight: "w8a8", Bits.four: "w4a4", Bits.w4a8: "w4a8", Bits.mixed: "w4a4"}
"""The format of all layers but the ends; of a mixed network the one that takes least, which its search counts."""


def model_name(bits: Bits) -> str:
    """File in a run's folder that holds its network in other bits than the search's."""
    return f"model-{bits.value}.json"


_WIDER = {"w4a4": "w4a8", "w4a8": "w8a8"}


def formats_of(graph: _core.Graph, bits: Bits) -> list[str]:
    """The formats of a network of uniform bits."""
    import tinynas._core as _core

    return list(_core.uniform_formats(graph, UNIFORM[bits]))


def blocks_of(graph: _core.Graph) -> list[list[int]]:
    """Operators with weights by block: those whose names share all but the last part; single ones stand alone."""
    groups: dict[str, list[int]] = {}
    for index, operator in enumerate(graph.operators):
        if operator.kind in ("conv2d", "depthwise_conv2d", "fully_connected"):
            groups.setdefault(operator.name.rpartition(".")[0] or operator.name, []).append(index)
    return list(groups.values())


def mixed_formats(graph: _core.Graph, fits: Fits, accuracy_of: AccuracyOf) -> list[str]:
    """Formats per block: from w4a4 everywhere, the block whose widening measures best is widened, as long as it fits.

    Deterministic. Raises InfeasibleError when not even w4a4 fits.
    """
    formats = formats_of(graph, Bits.four)
    if not fits(formats):
        raise InfeasibleError("the network does not fit its budget even with 4 bits everywhere")
    blocks = [block for block in blocks_of(graph) if any(formats[i] != "w8a8" for i in block)]
    best = accuracy_of(formats)
    while True:
        candidates = [wider for block in blocks if (wider := _widened(formats, block)) and fits(wider)]
        if not candidates:
            return formats
        measured = [accuracy_of(candidate) for candidate in candidates]
        top = max(range(len(candidates)), key=lambda i: (measured[i], -i))
        if measured[top] < best:
            return formats
        best, formats = measured[top], candidates[top]


def _widened(formats: Sequence[str], block: Sequence[int]) -> list[str] | None:
    """The formats with one block's next wider one, None where it is as wide as can be."""
    wider = list(formats)
    for index in block:
        wider[index] = _WIDER.get(formats[index], formats[index])
    return wider if wider != list(formats) else None
