"""Measuring candidates on Ray workers, on this machine or a cluster (`pip install tinynas[ray]`).

`ray.init` finds the cluster: $RAY_ADDRESS, or else workers of its own on this machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.data import FolderOptions, load_data
from tinynas.errors import CheckError
from tinynas.search.measure import AccuracyOf

_TRIES = 3
"""Workers that a candidate may bring down before the search gives up on it."""


@dataclass(frozen=True)
class EvaluatorMaker:
    """Makes a supernet's evaluator in a worker: the checkpoint travels, the data are read where the worker runs."""

    checkpoint: bytes
    data: str
    options: FolderOptions
    seed: int
    device: str

    def __call__(self) -> AccuracyOf:
        from tinynas.train.evaluator import SupernetEvaluator

        data = load_data(self.data, self.options)
        with tempfile.NamedTemporaryFile(suffix=".pt") as file:
            file.write(self.checkpoint)
            file.flush()
            return SupernetEvaluator(Path(file.name), data, device=self.device, seed=self.seed)


class RayEvaluator:
    """Measures archs on `workers` Ray actors, each with an evaluator of its own made by `make`.

    A worker that dies costs only its candidate's measurement, which another worker repeats.
    """

    def __init__(self, make: Callable[[], AccuracyOf], workers: int) -> None:
        ray = _ray()
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False, logging_level="error")
        self._ray = ray
        self._make = ray.put(make)
        self._actor = ray.remote(num_cpus=1, max_restarts=0)(_Worker)
        self._idle = [self._start() for _ in range(workers)]

    def _start(self) -> Any:
        return self._actor.remote(self._make)

    def each(self, archs: Sequence[dict[str, Any]]) -> Iterator[tuple[int, float]]:
        """(index, accuracy) of every arch as it is measured. CheckError when one brings down every worker it gets."""
        left = list(range(len(archs)))[::-1]
        tries = [0] * len(archs)
        running: dict[Any, tuple[int, Any]] = {}
        while left or running:
            while left and self._idle:
                index, worker = left.pop(), self._idle.pop()
                running[worker.accuracy.remote(archs[index])] = (index, worker)
            (done, *_), _ = self._ray.wait(list(running), num_returns=1)
            index, worker = running.pop(done)
            try:
                accuracy = float(self._ray.get(done))
            except self._ray.exceptions.RayActorError as error:
                tries[index] += 1
                if tries[index] == _TRIES:
                    raise CheckError(f"{_TRIES} workers died while measuring {archs[index]}: {error}") from error
                left.append(index)
                self._idle.append(self._start())
                continue
            self._idle.append(worker)
            yield index, accuracy


class _Worker:
    def __init__(self, make: Callable[[], AccuracyOf]) -> None:
        self._evaluator = make()

    def accuracy(self, arch: dict[str, Any]) -> float:
        return self._evaluator.accuracy(arch)


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise CheckError("measuring on several workers needs Ray: pip install tinynas[ray]") from error
    return ray
