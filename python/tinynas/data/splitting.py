"""Cutting a split into two, class by class, by seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def cut_off(labels: NDArray[np.int64], rows: Rows, part: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """(what stays, what is cut off): `part` of every class's rows, at least one of each, never all of them.

    Both results are sorted. A class with a single row stays whole.
    """
    taken: list[NDArray[np.int64]] = []
    for label in np.unique(labels[rows]):
        members = rows[labels[rows] == label]
        count = min(max(1, round(part * len(members))), len(members) - 1)
        taken.append(rng.permutation(members)[:count])
    cut = np.sort(np.concatenate(taken))
    return np.setdiff1d(rows, cut, assume_unique=True), cut
