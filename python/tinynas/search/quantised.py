"""From float networks to quantised ones: what subnets lose in their formats, and the winner in the bits asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinynas.config.train import TrainConfig
from tinynas.data import DataSet
from tinynas.search.bits import without_formats
from tinynas.search.finish import as_int8, pictures_of, quantise, resolution_of
from tinynas.search.measure import Measurements
from tinynas.train.evaluator import SupernetEvaluator

if TYPE_CHECKING:
    import tinynas._core as _core

_COMPARED_PICTURES = 1000
"""Validation pictures by which post-training and trained quantisation are compared."""
_MEASURED_PICTURES = 500
"""Validation pictures by which the quantised subnets of a search are compared."""
_CALIBRATION_PICTURES = 64
"""Training pictures from which such a subnet's activations get their scales."""


@dataclass(frozen=True)
class Quantised:
    """A quantised network and what was measured on the way, as JSON values."""

    graph: _core.Graph
    report: dict[str, Any]


class FormatMeasurer:
    """Accuracies of archs: of the float subnet where an arch has no formats, else that less what post-training
    quantisation takes from it on up to 500 validation pictures, by the reference interpreter."""

    def __init__(self, floats: Measurements, evaluator: SupernetEvaluator, data: DataSet, seed: int) -> None:
        import tinynas._core as _core

        self._floats = floats
        self._evaluator = evaluator
        self._space = _core.SearchSpace.from_json(evaluator.space_json)
        self._data = data
        self._seed = seed
        self._pictures: dict[int, tuple[Any, Any]] = {}
        """And labels, by resolution."""

    def each(self, archs: Sequence[dict[str, Any]]) -> Iterator[tuple[int, float]]:
        """(index, accuracy) of every arch, in the order in which they are done."""
        floats = self._floats.accuracies([without_formats(arch) for arch in archs])
        for index, (arch, accuracy) in enumerate(zip(archs, floats, strict=True)):
            yield index, accuracy - (self._loss(arch) if "formats" in arch else 0.0)

    def _loss(self, arch: dict[str, Any]) -> float:
        """Of accuracy, on the same pictures before and after."""
        import tinynas._core as _core

        graph = self._evaluator.extract(arch)
        formats = list(_core.operator_formats(self._space, _core.Arch.from_json(json.dumps(arch))))
        quantised = quantise(graph, self._data, self._seed, formats, _CALIBRATION_PICTURES)
        resolution = resolution_of(graph)
        if resolution not in self._pictures:
            self._pictures[resolution] = pictures_of(self._data.val, resolution, _MEASURED_PICTURES, self._seed)
        pictures, labels = self._pictures[resolution]
        return float_accuracy(graph, pictures, labels) - integer_accuracy(quantised, pictures, labels)


def quantise_network(
    float_graph: _core.Graph, data: DataSet, formats: Sequence[str], config: TrainConfig, checkpoint: Path
) -> Quantised:
    """Post-training quantisation to formats (one per operator); where one has 4 bits, the better of that and of
    quantisation-aware training that starts from it.

    checkpoint: the training's .pt file, through which it goes on.
    """
    from tinynas.train.qat import quantisation_aware

    seed = config.seed
    after = quantise(float_graph, data, seed, formats)
    report: dict[str, Any] = {"formats": list(formats), "method": "ptq"}
    if set(formats) == {"w8a8"} or config.qat_epochs == 0:
        return Quantised(after, report)
    start = after if config.qat_start == "ptq" else None
    graphs = {"ptq": after, "qat": quantisation_aware(float_graph, formats, data, config, checkpoint, start=start)}
    pictures, labels = pictures_of(data.val, resolution_of(after), _COMPARED_PICTURES, seed)
    accuracy = {method: integer_accuracy(graph, pictures, labels) for method, graph in graphs.items()}
    method = max(accuracy, key=lambda each: accuracy[each])
    report |= {"method": method} | {f"{name}_val": value for name, value in accuracy.items()}
    return Quantised(graphs[method], report)


def float_accuracy(graph: _core.Graph, pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Of a float graph, by LibTorch."""
    import torch

    from tinynas.train.native import supernet_module

    net = supernet_module().QatNet(graph.to_json(), ["w8a8"] * len(graph.operators))
    logits = net.logits(torch.from_numpy(np.ascontiguousarray(pictures)), quantised=False).numpy()
    return float(np.mean(logits.argmax(axis=1) == labels))


def integer_accuracy(graph: _core.Graph, pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Of a quantised graph, by the reference interpreter."""
    import tinynas._core as _core

    outputs = np.asarray(_core.run_batch(graph, [as_int8(pictures)])[0]).reshape(len(labels), -1)
    return float(np.mean(outputs.argmax(axis=1) == labels))
