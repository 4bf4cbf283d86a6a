"""Reading picture files: sizes first, then pixels, several threads at a time; errors name the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinynas.errors import InputError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".tif", ".tiff"})
_CHUNK = 256

Result = TypeVar("Result")


def picture_sizes(files: Sequence[str]) -> NDArray[np.int64]:
    """[n, 2]: width and height as the files' headers say."""
    return np.asarray(in_threads(files, _size), dtype=np.int64)


def decode_pictures(files: Sequence[str], side: int, window: bool, out: NDArray[np.uint8]) -> None:
    """Fills out [n, side, side, 3]: whole pictures made square, or (window) their central squares, antialiased.

    Raises InputError naming the first file that cannot be decoded.
    """

    def read(item: tuple[int, str]) -> None:
        index, file = item
        out[index] = decode_picture(file, side, window)

    in_threads(list(enumerate(files)), read)


def decode_picture(file: str, side: int, window: bool) -> NDArray[np.uint8]:
    """One picture as RGB [side, side, 3]; see decode_pictures."""
    try:
        with Image.open(file) as picture:
            if picture.format == "JPEG" and min(picture.size) >= 4 * side:
                picture.draft("RGB", (2 * side, 2 * side))  # decodes at a fraction of the size: several times faster
            rgb = _flatten(picture)
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise InputError(f"{file}: cannot be decoded as a picture: {error}") from error
    width, height = rgb.size
    if window:
        square = min(width, height)
        left, top = (width - square) / 2, (height - square) / 2
        box = (left, top, left + square, top + square)
    else:
        box = (0.0, 0.0, float(width), float(height))
    if (width, height) != (side, side):
        rgb = rgb.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return np.asarray(rgb, dtype=np.uint8)


def _flatten(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "P", "PA"}:  # transparent parts become white
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba).convert("RGB")
    if picture.mode.startswith("I"):  # 16 bits per pixel
        levels = np.asarray(picture, dtype=np.float64)
        return Image.fromarray(np.clip(levels / 257.0, 0, 255).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")


def _size(file: str) -> tuple[int, int]:
    try:
        with Image.open(file) as picture:
            return picture.size
    except Exception as error:
        raise InputError(f"{file}: cannot be read as a picture: {error}") from error


def in_threads(items: Sequence[Result] | Iterable[Result], work: Callable[[Result], object]) -> list[object]:
    """work(item) of every item, in order; the first item that fails (by order) decides the error."""
    items = list(items)
    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as pool:
        try:
            return [
                result for part in pool.map(lambda chunk: [work(item) for item in chunk], chunks) for result in part
            ]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
