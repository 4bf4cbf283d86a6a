"""Removal of provably constant channels before a network is shipped, and what it saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynas import _core


@dataclass(frozen=True)
class Shrunk:
    """A network to ship, the one it came from, and the work and weights of both.

    Operators keep their order and `source_index`, so layers of the two correspond one to one.
    """

    graph: _core.Graph
    original: _core.Graph
    channels_removed: int = 0
    macs: tuple[int, int] = (0, 0)
    """Before and after."""
    weights: tuple[int, int] = (0, 0)
    """Elements of all weights, biases not counted, before and after."""

    @property
    def changed(self) -> bool:
        return self.channels_removed > 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON value that `deploy` and `export` report, SRAM excepted."""
        return {
            "channels_removed": self.channels_removed,
            "macs_before": self.macs[0],
            "macs_after": self.macs[1],
            "weights_before": self.weights[0],
            "weights_after": self.weights[1],
        }


def shrink_model(graph: _core.Graph, wanted: bool = True) -> Shrunk:
    """The network without its constant channels, outputs equal to the byte; as it is where not `wanted`.

    Float networks and those that only describe sizes have no provable channels and come back as they are.
    """
    if not wanted:
        macs, weights = graph.macs(), graph.weight_count()
        return Shrunk(graph, graph, 0, (macs, macs), (weights, weights))
    smaller, report = _core.shrink(graph)
    removed = report["channels_removed"]
    return Shrunk(
        smaller if removed else graph,
        graph,
        removed,
        (report["macs_before"], report["macs_after"]),
        (report["weights_before"], report["weights_after"]),
    )
