"""From the winner's float network to its quantised one, in the bits that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynas.config.train import TrainConfig
from tinynas.data import DataSet
from tinynas.search.bits import Bits, Fits, formats_of, mixed_formats
from tinynas.search.finish import as_int8, pictures_of, quantise, resolution_of

if TYPE_CHECKING:
    import tinynas._core as _core

MEASURED_PICTURES = 1000
"""Validation pictures by which post-training and trained quantisation, and formats, are compared."""


@dataclass(frozen=True)
class Quantised:
    """A quantised network and what was measured on the way, as JSON values."""

    graph: _core.Graph
    report: dict[str, Any]


def limits_hold(sizes: _core.Graph, oracle: _core.Oracle, limits: _core.Limits) -> Fits:
    """Whether `sizes`, a graph without data, stays within the limits in given formats."""
    import tinynas._core as _core

    return lambda formats: bool(_core.fits(oracle.cost(_core.in_formats(sizes, list(formats))), limits))


def measured_accuracy(graph: _core.Graph, data: DataSet, seed: int) -> float:
    """Of a quantised graph, by the reference interpreter, on up to MEASURED_PICTURES validation pictures."""
    import tinynas._core as _core

    pictures, labels = pictures_of(data.val, resolution_of(graph), MEASURED_PICTURES, seed)
    outputs = np.asarray(_core.run_batch(graph, [as_int8(pictures)])[0]).reshape(len(labels), -1)
    return float(np.mean(outputs.argmax(axis=1) == labels))


def quantise_network(
    float_graph: _core.Graph, data: DataSet, bits: Bits, config: TrainConfig, checkpoint: Path, fits: Fits | None = None
) -> Quantised:
    """Post-training quantisation for 8 bits; with 4 the better of that and of quantisation-aware training.

    checkpoint: the training's .pt file, through which it goes on. fits: the budget, which `mixed` needs.
    """
    seed = config.seed
    if bits is Bits.eight:
        return Quantised(quantise(float_graph, data, seed), {"bits": bits.value, "method": "ptq"})
    from tinynas.train.qat import quantisation_aware

    def after_training(formats: Sequence[str]) -> float:
        return measured_accuracy(quantise(float_graph, data, seed, formats), data, seed)

    mixed = bits is Bits.mixed
    formats = (
        mixed_formats(float_graph, fits or (lambda _: True), after_training) if mixed else formats_of(float_graph, bits)
    )
    graphs = {
        "ptq": quantise(float_graph, data, seed, formats),
        "qat": quantisation_aware(float_graph, formats, data, config, checkpoint),
    }
    accuracy = {method: measured_accuracy(graph, data, seed) for method, graph in graphs.items()}
    method = max(accuracy, key=lambda each: accuracy[each])
    report = {"bits": bits.value, "method": method, "formats": formats}
    return Quantised(graphs[method], report | {f"{name}_val": value for name, value in accuracy.items()})
