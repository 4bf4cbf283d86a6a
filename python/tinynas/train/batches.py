"""Batches prepared ahead of the training step, each determined by (seed, epoch, step) alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

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


def prepare(
    split: Split, order: BatchOrder, steps: range, resolution_of: Callable[[int], int], seed: int, workers: int = 1
) -> Iterator[Batch]:
    """The augmented batches of `steps`, in order, prepared by `workers` threads that keep a few batches ahead."""

    def make(step: int, indices: NDArray[np.int64]) -> Batch:
        generator = np.random.default_rng((seed, 1, step, int(indices[0]) if len(indices) else 0))
        pictures, labels = split.batch(indices, resolution_of(step), generator)
        return Batch(step, np.ascontiguousarray(pictures), np.ascontiguousarray(labels))

    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        pending: list[Future[Batch]] = []
        upcoming = iter(steps)
        for step in upcoming:
            pending.append(pool.submit(make, step, order.indices(step)))
            if len(pending) > 2 * workers:
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
