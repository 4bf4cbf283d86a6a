"""A split that decodes its files batch by batch: for sets too big to keep decoded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinynas.data.arrays import ArraySplit
from tinynas.data.augment import Augmentation
from tinynas.data.decode import decode_pictures


class LazySplit:
    """Pictures in files, with labels [n]; otherwise as ArraySplit."""

    def __init__(
        self,
        files: Sequence[str],
        labels: NDArray[np.int64],
        stored: tuple[int, bool],
        augmentation: Augmentation,
        window: float = 1.0,
    ) -> None:
        """`stored` is the side that the pictures are decoded to and whether their central squares are taken."""
        self._files = list(files)
        self.labels = labels
        self._side, self._central = stored
        self._augmentation = augmentation
        self._window = window

    def __len__(self) -> int:
        return len(self._files)

    def batch(
        self, indices: NDArray[np.int64], resolution: int, augment: np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """See Split.batch. Raises InputError naming a file that cannot be decoded."""
        pictures = np.empty((len(indices), self._side, self._side, 3), dtype=np.uint8)
        decode_pictures([self._files[int(i)] for i in indices], self._side, self._central, pictures)
        decoded = ArraySplit(pictures, self.labels[indices], None, self._augmentation, self._window)
        return decoded.batch(np.arange(len(indices), dtype=np.int64), resolution, augment)
