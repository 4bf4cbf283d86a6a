"""Bits of a network's layers: what `--bits` lets the blocks choose from, and the formats of a network."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tinynas.config.space import SpaceConfig

if TYPE_CHECKING:
    import tinynas._core as _core


class Bits(StrEnum):
    """What `--bits` takes."""

    eight = "8"
    four = "4"
    w4a8 = "w4a8"
    mixed = "mixed"


CHOICES = {
    Bits.eight: ("w8a8",),
    Bits.four: ("w4a4",),
    Bits.w4a8: ("w4a8",),
    Bits.mixed: ("w8a8", "w4a8", "w4a4"),
}
"""The formats that a block may have; stem and classifier stay at 8 bits."""


def model_name(bits: Bits) -> str:
    """File in a run's folder that holds its network in other bits than the search's."""
    return f"model-{bits.value}.json"


def with_bits(space: SpaceConfig, bits: Bits) -> _core.SearchSpace:
    """The space whose blocks also choose their formats."""
    return space.to_core().with_formats(list(CHOICES[bits]))


def uniform_formats(graph: _core.Graph, bits: Bits) -> list[str]:
    """The formats of a network's operators where all blocks have the same."""
    import tinynas._core as _core

    (form,) = CHOICES[bits]
    return list(_core.uniform_formats(graph, form))


def without_formats(arch: dict[str, Any]) -> dict[str, Any]:
    """The float network of an arch."""
    return {key: value for key, value in arch.items() if key != "formats"}
