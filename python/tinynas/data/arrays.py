"""A split whose pictures lie in one array (in memory or memory-mapped)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynas.data.augment import Augmentation, augment_batch
from tinynas.data.resample import resample, to_pixels


class ArraySplit:
    """Some rows of pictures [n, s, s, c] (uint8) with labels [n]."""

    def __init__(
        self,
        pictures: NDArray[np.uint8],
        labels: NDArray[np.int64],
        rows: NDArray[np.int64] | None = None,
        augmentation: Augmentation | None = None,
        window: float = 1.0,
    ) -> None:
        """`rows` chooses and orders the pictures (default all); evaluation sees the central `window` of the side."""
        if pictures.ndim != 4 or pictures.shape[1] != pictures.shape[2] or len(pictures) != len(labels):
            raise ValueError(
                f"[ArraySplit] expected pictures [n, s, s, c] and labels [n], got {pictures.shape} and {labels.shape}"
            )
        self._pictures = pictures
        self._labels = labels
        self._rows = np.arange(len(pictures), dtype=np.int64) if rows is None else rows
        self._augmentation = augmentation or Augmentation()
        self._window = np.full((1, 2), window, dtype=np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels of all pictures, in order."""
        return self._labels[self._rows]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Where the split's pictures lie in the array."""
        return self._rows

    def batch(
        self, indices: NDArray[np.int64], resolution: int, augment: np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """See Split.batch."""
        rows = self._rows[indices]
        pictures, labels = np.asarray(self._pictures[rows]), self._labels[rows]
        if augment is not None:
            return augment_batch(pictures, resolution, self._augmentation, augment), labels
        if resolution == pictures.shape[1] and self._window[0, 0] == 1.0:
            return pictures, labels
        return to_pixels(resample(pictures, resolution, extent=self._window)), labels
