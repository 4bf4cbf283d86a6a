"""Accuracy and extraction of a supernet's subnets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynas.data.base import DataSet, Split
from tinynas.errors import InputError
from tinynas.train.checkpoint import copy_tensors, load
from tinynas.train.native import supernet_module

if TYPE_CHECKING:
    import tinynas._core as _core

ArchJson = dict[str, Any] | str
"""An arch as JSON values or as their text."""

_BATCH = 125


def arch_text(arch: ArchJson) -> str:
    """The JSON text of an arch."""
    return arch if isinstance(arch, str) else json.dumps(arch)


class Pictures:
    """Unaugmented pictures of a split, decoded once per resolution."""

    def __init__(self, split: Split, count: int | None, seed: int, device: str) -> None:
        """`count`: a random choice of that many pictures by seed; None: all, in order."""
        rows = np.arange(len(split), dtype=np.int64)
        if count is not None and count < len(split):
            rows = np.sort(np.random.default_rng((seed, 2)).permutation(len(split))[:count]).astype(np.int64)
        self._split = split
        self._rows = rows
        self._device = device
        self._kept: dict[int, list[tuple[Any, Any]]] = {}

    def batches(self, resolution: int) -> list[tuple[Any, Any]]:
        """(pictures uint8 [n, R, R, C], labels) tensors."""
        import torch

        if resolution not in self._kept:
            self._kept[resolution] = []
            for first in range(0, len(self._rows), _BATCH):
                pictures, labels = self._split.batch(self._rows[first : first + _BATCH], resolution)
                tensors = (torch.from_numpy(np.array(pictures)), torch.from_numpy(np.array(labels)))
                self._kept[resolution].append((tensors[0].to(self._device), tensors[1].to(self._device)))
        return self._kept[resolution]


class SupernetEvaluator:
    """Measures and extracts subnets of a trained checkpoint.

    BatchNorm statistics are always measured anew for the subnet, on training pictures; accuracy is on `split` (default:
    the validation split), of which `pictures` (default: all) are used.
    """

    def __init__(
        self,
        checkpoint: Path,
        data: DataSet,
        *,
        split: Split | None = None,
        pictures: int | None = None,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self._native = supernet_module()
        state = load(checkpoint)
        if state.arch is not None:
            raise InputError(f"{checkpoint}: expected a supernet, got a single network")
        transforms = bool(state.config["kernel_transforms"])
        self.space_json: str = state.space
        self.subspace: tuple[int, float] | None = state.subspace
        self.net = self._native.Supernet(state.space, kernel_transforms=transforms)
        copy_tensors(
            {name: value.float() for name, value in state.weights.items()}, dict(self.net.parameters()), checkpoint
        )
        self.net.to(device)
        self._calibration = Pictures(data.train, int(state.config["calibration_pictures"]), seed, device)
        self._pictures = Pictures(split or data.val, pictures, seed, device)

    def statistics(self, arch: ArchJson) -> Any:
        """The arch's BatchNorm statistics (a `_supernet.BatchNormStats`)."""
        return measure(self.net, arch_text(arch), self._calibration)

    def accuracy(self, arch: ArchJson) -> float:
        """Fraction of the pictures that are classified correctly."""
        text = arch_text(arch)
        return accuracy_of(self.net, text, self.statistics(text), self._pictures)

    def each(self, archs: Sequence[ArchJson]) -> Iterator[tuple[int, float]]:
        """(index, accuracy) of every arch."""
        for index, arch in enumerate(archs):
            yield index, self.accuracy(arch)

    def extract(self, arch: ArchJson) -> _core.Graph:
        """The float graph of a subnet: BatchNorm folded, transforms baked in, operators named as by build_graph."""
        import tinynas._core as _core

        text = arch_text(arch)
        return _core.Graph.from_json(self._native.extract_graph(self.net, text, self.statistics(text)))


def measure(net: Any, arch: str, pictures: Pictures) -> Any:
    """BatchNorm statistics of one arch over the calibration pictures."""
    resolution = int(json.loads(arch)["resolution"])
    batches = [batch for batch, _ in pictures.batches(resolution)]
    full = [batch for batch in batches if len(batch) == len(batches[0])]  # a short last one would weigh too much
    return supernet_module().recalibrate(net, arch, full)


def accuracy_of(net: Any, arch: str, statistics: Any, pictures: Pictures) -> float:
    """Fraction of `pictures` that `arch` classifies correctly with these statistics."""
    correct = total = 0
    for batch, labels in pictures.batches(int(json.loads(arch)["resolution"])):
        correct += int((net.predict(batch, arch, statistics) == labels).sum())
        total += len(labels)
    return correct / total
