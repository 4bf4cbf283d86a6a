"""Resizing whole batches with antialiasing: a triangle filter as wide as the reduction, as Pillow's BILINEAR has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resample(
    pictures: NDArray[np.uint8],
    resolution: int,
    centre: NDArray[np.float32] | None = None,
    extent: NDArray[np.float32] | None = None,
    flip: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Windows of the pictures [n, s, s, c], each scaled to [n, resolution, resolution, c], in grey levels, not rounded.

    `centre` and `extent` ([n, 2] or [1, 2], row then column, as parts of the side; default 0.5 and 1) give the window;
    the border is repeated outside the picture. `flip` [n] mirrors left and right.
    """
    side = pictures.shape[1]
    centre = np.full((1, 2), 0.5, dtype=np.float32) if centre is None else centre
    extent = np.ones((1, 2), dtype=np.float32) if extent is None else extent
    rows = _weights(side, resolution, centre[:, 0], extent[:, 0])
    columns = _weights(side, resolution, centre[:, 1], extent[:, 1])
    if flip is not None:
        columns = np.where(flip[:, None, None], columns[:, ::-1], columns)
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
    planes = np.matmul(rows[:, None], planes)
    scaled: NDArray[np.float32] = np.matmul(planes, columns[:, None].swapaxes(-1, -2))
    return scaled.transpose(0, 2, 3, 1)


def _weights(
    side: int, resolution: int, centre: NDArray[np.float32], extent: NDArray[np.float32]
) -> NDArray[np.float32]:
    """[n, resolution, side]: how much every source pixel gives to every output pixel; rows sum to 1."""
    step = (extent * (side / resolution))[:, None]
    first = (centre * side)[:, None] - step * (resolution / 2)
    position = first + step * (np.arange(resolution, dtype=np.float32) + 0.5)[None]
    position = np.clip(position, 0.5, side - 0.5)
    support = np.maximum(step, 1.0)[:, :, None]
    source = np.arange(side, dtype=np.float32) + 0.5
    weights = np.maximum(0.0, 1.0 - np.abs(position[:, :, None] - source) / support)
    weights = weights / weights.sum(axis=2, keepdims=True)
    return np.asarray(weights, dtype=np.float32)


def to_pixels(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Rounded and clipped grey levels."""
    return np.asarray(np.clip(levels + 0.5, 0.0, 255.0), dtype=np.uint8)


def rotate(pictures: NDArray[np.uint8], degrees: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Each picture of [n, s, s, c] turned about its centre by its own angle (bilinear, border repeated)."""
    count, side, _, channels = pictures.shape
    angle = np.deg2rad(degrees.astype(np.float32))[:, None, None]
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    y = np.cos(angle) * axis[None, :, None] - np.sin(angle) * axis[None, None, :] + (side - 1) / 2
    x = np.sin(angle) * axis[None, :, None] + np.cos(angle) * axis[None, None, :] + (side - 1) / 2
    y, x = np.clip(y, 0, side - 1), np.clip(x, 0, side - 1)
    top, left = np.minimum(y.astype(np.int32), side - 2), np.minimum(x.astype(np.int32), side - 2)
    down, right = (y - top)[..., None], (x - left)[..., None]
    flat = pictures.reshape(count * side * side, channels)
    corner = (np.arange(count, dtype=np.int32) * side * side)[:, None, None] + top * side + left
    upper = flat[corner] * (1 - right) + flat[corner + 1] * right
    lower = flat[corner + side] * (1 - right) + flat[corner + side + 1] * right
    return to_pixels(upper * (1 - down) + lower * down)
