"""Batches prepared ahead of the training step, each determined by (seed, epoch, step) alone."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinynas.data.base import Split


class Batch(NamedTuple):
    """Pictures [n, R, R, C] uint8 and labels [n] of one step."""

    step: int
    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]


class BatchOrder:
    """Which pictures belong to which step. An epoch's order depends on (seed, epoch) alone.

    With `world` > 1 processes every step's pictures are dealt out: process `rank` gets its share of the batch.
    """

    def __init__(self, count: int, batch_size: int, seed: int, rank: int = 0, world: int = 1) -> None:
        self.batch_size = min(batch_size, count)
        self.steps_per_epoch = max(1, count // self.batch_size)
        self._count = count
        self._seed = seed
        self._rank = rank
        self._world = world
        self._cached: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def split(self, step: int) -> tuple[int, int]:
        """(epoch, step within the epoch)."""
        return divmod(step, self.steps_per_epoch)

    def indices(self, step: int) -> NDArray[np.int64]:
        """The rows of the training split for a step."""
        epoch, place = self.split(step)
        if self._cached[0] != epoch:
            order = np.random.default_rng((self._seed, epoch)).permutation(self._count).astype(np.int64)
            self._cached = (epoch, order)
        batch = self._cached[1][place * self.batch_size : (place + 1) * self.batch_size]
        return batch[self._rank :: self._world]


@dataclass(frozen=True)
class Workers:
    """Who prepares batches. Processes are forked, so that they share the pictures in memory; results are the same."""

    count: int = 1
    kind: Literal["threads", "processes"] = "threads"

    def start(self, split: Split) -> Executor:
        """A pool in which _make() finds the split."""
        if self.kind == "threads":
            return ThreadPoolExecutor(self.count, "batches", _begin_worker, (split, None))
        context = multiprocessing.get_context("fork")
        return ProcessPoolExecutor(self.count, context, _begin_worker, (split, os.getpid()))


_worker = threading.local()


def _begin_worker(split: Split, parent: int | None) -> None:
    _worker.split = split
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """Ends this process when its parent has been killed, which nobody else would tell it."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _make(step: int, indices: NDArray[np.int64], resolution: int, seed: int) -> Batch:
    generator = np.random.default_rng((seed, 1, step, int(indices[0]) if len(indices) else 0))
    pictures, labels = _worker.split.batch(indices, resolution, generator)
    return Batch(step, np.ascontiguousarray(pictures), np.ascontiguousarray(labels))


def prepare(
    split: Split,
    order: BatchOrder,
    steps: range,
    resolution_of: Callable[[int], int],
    seed: int,
    workers: Workers | None = None,
) -> Iterator[Batch]:
    """The augmented batches of `steps`, in order, prepared by `workers` that keep a few batches ahead."""
    workers = workers or Workers()
    pool = workers.start(split)
    try:
        pending: list[Future[Batch]] = []
        for step in steps:
            pending.append(pool.submit(_make, step, order.indices(step), resolution_of(step), seed))
            if len(pending) > 2 * workers.count:
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
