"""Accuracy of subnets through the supernet, measured once and kept beside the checkpoint.

The accuracy of an arch depends on the checkpoint and the data alone, so all searches of one supernet share the file,
and a search that was killed repeats its steps exactly and finds its measurements there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from tinynas.search.run_dir import JsonLines


class AccuracyOf(Protocol):
    """Anything that measures an arch (its JSON form): the supernet's evaluator, or a stand-in in tests."""

    def accuracy(self, arch: dict[str, Any]) -> float:
        """Fraction of the validation pictures that are classified correctly."""
        ...


def arch_key(arch: dict[str, Any]) -> str:
    """One text per arch."""
    return json.dumps(arch, sort_keys=True, separators=(",", ":"))


class Measurements:
    """Arch -> accuracy, in memory and in an append-only file."""

    def __init__(self, path: Path, evaluator: AccuracyOf) -> None:
        self._file = JsonLines(path)
        self._evaluator = evaluator
        self._known: dict[str, float] = {arch_key(entry["arch"]): entry["accuracy"] for entry in self._file}

    def __contains__(self, arch: dict[str, Any]) -> bool:
        return arch_key(arch) in self._known

    def accuracies(self, archs: Sequence[dict[str, Any]], advance: Callable[[], None] = lambda: None) -> list[float]:
        """The accuracy of each arch; those not yet known are measured, and `advance` is called after each arch."""
        result = []
        for arch in archs:
            key = arch_key(arch)
            if key not in self._known:
                accuracy = self._evaluator.accuracy(arch)
                self._file.append({"arch": arch, "accuracy": accuracy})
                self._known[key] = accuracy
            result.append(self._known[key])
            advance()
        return result
