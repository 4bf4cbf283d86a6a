"""Accuracy of subnets through the supernet, measured once and kept beside the checkpoint.

The accuracy of an arch depends on the checkpoint and the data alone, so all searches of one supernet share the file,
and a search that was killed repeats its steps exactly and finds its measurements there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tinynas.search.run_dir import JsonLines


class AccuracyOf(Protocol):
    """Anything that measures an arch (its JSON form): the supernet's evaluator, or a stand-in in tests."""

    def accuracy(self, arch: dict[str, Any]) -> float:
        """Fraction of the validation pictures that are classified correctly."""
        ...


class AccuraciesOf(Protocol):
    """Anything that measures many archs: the supernet's evaluator, or several workers."""

    def each(self, archs: Sequence[dict[str, Any]]) -> Iterator[tuple[int, float]]:
        """(index, accuracy) of every arch, in the order in which they are done."""
        ...


def arch_key(arch: dict[str, Any]) -> str:
    """One text per arch."""
    return json.dumps(arch, sort_keys=True, separators=(",", ":"))


class Measurements:
    """Arch -> accuracy, in memory and in an append-only file."""

    def __init__(self, path: Path, evaluator: AccuraciesOf) -> None:
        self._file = JsonLines(path)
        self._evaluator = evaluator
        self._known: dict[str, float] = {arch_key(entry["arch"]): entry["accuracy"] for entry in self._file}

    def __contains__(self, arch: dict[str, Any]) -> bool:
        return arch_key(arch) in self._known

    def accuracies(self, archs: Sequence[dict[str, Any]], advance: Callable[[], None] = lambda: None) -> list[float]:
        """The accuracy of each arch; those not yet known are measured, and `advance` is called after each arch."""
        keys = [arch_key(arch) for arch in archs]
        wanted = {key: arch for key, arch in zip(keys, archs, strict=True) if key not in self._known}
        for _ in range(len(archs) - len(wanted)):
            advance()
        names, missing = list(wanted), list(wanted.values())
        for index, accuracy in self._evaluator.each(missing):
            self._file.append({"arch": missing[index], "accuracy": accuracy})
            self._known[names[index]] = accuracy
            advance()
        return [self._known[key] for key in keys]
