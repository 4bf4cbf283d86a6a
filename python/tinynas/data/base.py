"""What a data set is to training, calibration and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Split(Protocol):
    """One split of a data set."""

    def __len__(self) -> int: ...

    def batch(
        self, indices: NDArray[np.int64], resolution: int, augment: np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Pictures [n, resolution, resolution, channels] (uint8) and labels [n]; augmented when a generator is given.

        The network sees x = (pixel - 128) / 128, so its int8 input is exactly pixel - 128.
        """
        ...


@dataclass(frozen=True)
class DataSet:
    """Splits with their classes. `test` is touched once, at the end; `val` guides the search."""

    name: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    test: Split
    max_resolution: int
    channels: int = 3
    synthetic: bool = False
    fingerprint: str = ""
    """Hash of what the data are (files, sizes, seed): names cached results."""
    notes: tuple[str, ...] = ()
    """What the user should be told, a sentence each: that the data are synthetic, which split was cut from which."""
