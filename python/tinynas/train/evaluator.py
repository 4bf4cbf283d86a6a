"""Accuracy and extraction of a supernet's subnets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynas.config.space import SpaceConfig
from tinynas.data.base import DataSet, Split
from tinynas.errors import InputError
from tinynas.train.checkpoint import copy_tensors, load
from tinynas.train.native import supernet_module

if TYPE_CHECKING:
    import tinynas._core as _core

ArchJson = dict[str, Any] | str
"""An arch as JSON values or as their text."""

_BATCH = 125
_TOGETHER = 16
"""Subnets measured between two results that are written to the disk."""
_MOST_KEPT_BYTES = 1 << 30


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

    def full_batches(self, resolution: int) -> list[Any]:
        """Pictures alone, for statistics: a short last batch would weigh too much and is left out."""
        batches = [batch for batch, _ in self.batches(resolution)]
        return [batch for batch in batches if len(batch) == len(batches[0])]

    def __len__(self) -> int:
        return len(self._rows)


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
        self._space = SpaceConfig.model_validate_json(state.space)
        self.subspace: tuple[int, float] | None = state.subspace
        self.net = self._native.Supernet(state.space, kernel_transforms=transforms)
        copy_tensors(
            {name: value.float() for name, value in state.weights.items()}, dict(self.net.parameters()), checkpoint
        )
        self.net.to(device)
        self._device = device
        self.calibration = Pictures(data.train, int(state.config["calibration_pictures"]), seed, device)
        self._pictures = Pictures(split or data.val, pictures, seed, device)

    def statistics(self, arch: ArchJson) -> Any:
        """The arch's BatchNorm statistics (a `_supernet.BatchNormStats`)."""
        return measure(self.net, arch_text(arch), self.calibration)

    def accuracy(self, arch: ArchJson, split: Split | None = None) -> float:
        """Fraction of the pictures, or of another split's, that are classified correctly."""
        text = arch_text(arch)
        pictures = Pictures(split, None, 0, self._device) if split else self._pictures
        return accuracy_of(self.net, text, self.statistics(text), pictures)

    def each(self, archs: Sequence[ArchJson]) -> Iterator[tuple[int, float]]:
        """(index, accuracy) of every arch. On the CPU, what subnets share from the front is computed once."""
        texts = [arch_text(arch) for arch in archs]
        by_resolution: dict[int, list[int]] = {}
        for index, text in enumerate(texts):
            by_resolution.setdefault(int(json.loads(text)["resolution"]), []).append(index)
        for resolution, indices in by_resolution.items():
            if self._device != "cpu" or self._kept_bytes(resolution) > _MOST_KEPT_BYTES:
                for index in indices:
                    yield index, self.accuracy(texts[index])
                continue
            indices.sort(key=lambda index: self._front_key(json.loads(texts[index])))
            for start in range(0, len(indices), _TOGETHER):
                part = indices[start : start + _TOGETHER]
                yield from self._together(resolution, part, [texts[index] for index in part])

    def _together(self, resolution: int, indices: list[int], texts: list[str]) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = []

        def done(index: int, accuracy: float) -> bool:
            found.append((indices[index], accuracy))
            return True

        pictures, labels = zip(*self._pictures.batches(resolution), strict=True)
        self._native.measure_subnets(
            self.net, texts, self.calibration.full_batches(resolution), list(pictures), list(labels), done
        )
        return found

    def _front_key(self, arch: dict[str, Any]) -> list[tuple[float, ...]]:
        """Archs with near keys share more from the front."""
        key: list[tuple[float, ...]] = [(arch["width"],)]
        choices = iter(zip(arch["kernels"], arch["expansions"], strict=True))
        for stage, depth in zip(self._space.stages, arch["depths"], strict=True):
            key += [
                choice if b < depth else (0, 0) for b, choice in zip(range(stage.depths[-1]), choices, strict=False)
            ]
        return key

    def _kept_bytes(self, resolution: int) -> int:
        """Of the maps after the stem, the largest that are kept."""
        stem = self._space.stem
        side = -(-resolution // stem.stride)
        return 4 * side * side * 2 * stem.channels * (len(self._pictures) + len(self.calibration))

    def extract(self, arch: ArchJson) -> _core.Graph:
        """The float graph of a subnet: BatchNorm folded, transforms baked in, operators named as by build_graph."""
        import tinynas._core as _core

        text = arch_text(arch)
        return _core.Graph.from_json(self._native.extract_graph(self.net, text, self.statistics(text)))


def measure(net: Any, arch: str, pictures: Pictures) -> Any:
    """BatchNorm statistics of one arch over the calibration pictures."""
    return supernet_module().recalibrate(net, arch, pictures.full_batches(int(json.loads(arch)["resolution"])))


def accuracy_of(net: Any, arch: str, statistics: Any, pictures: Pictures) -> float:
    """Fraction of `pictures` that `arch` classifies correctly with these statistics."""
    correct = total = 0
    for batch, labels in pictures.batches(int(json.loads(arch)["resolution"])):
        correct += int((net.predict(batch, arch, statistics) == labels).sum())
        total += len(labels)
    return correct / total
