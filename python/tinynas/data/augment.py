"""Augmentation of whole batches, and the presets for every kind of data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.data.resample import resample, rotate, to_pixels
from tinynas.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """How far a picture is changed; every amount is drawn per picture, uniformly in +- the value."""

    flip: bool = False
    shift: float = 0.0
    """Part of the side; by whole pixels where the picture is not scaled too, so that nothing is blurred."""
    scale: float = 0.0
    """Zoom: the window's side is 1 +- scale of the picture's."""
    crop: float = 0.0
    """Random crops: the window's area is at least this part of the picture's (0: no crops)."""
    rotate: float = 0.0
    """Degrees."""
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    cutout: float = 0.0
    """Side of the greyed-out square, as part of the picture's, in half of the pictures."""
    noise: float = 0.0
    """Standard deviation in grey levels, up to."""
    masks: float = 0.0
    """Spectrograms: widest masked band (rows) and time (columns), as part of the side."""


PRESETS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "photos": Augmentation(flip=True, shift=0.1, scale=0.12, brightness=0.2, contrast=0.2, saturation=0.2),
    "crops": Augmentation(flip=True, crop=0.3, brightness=0.2, contrast=0.2, saturation=0.2),
    "flip_shift": Augmentation(flip=True, shift=0.125),
    "flip_shift_cutout": Augmentation(flip=True, shift=0.125, cutout=0.5),
    "small": Augmentation(flip=True, shift=0.125, brightness=0.1, contrast=0.1, saturation=0.1, cutout=0.25),
    "small_rotate": Augmentation(flip=True, shift=0.1, rotate=15.0),
    "scenes": Augmentation(flip=True, shift=0.08, scale=0.1, brightness=0.15, contrast=0.15, saturation=0.2),
    "symbols": Augmentation(shift=0.1, scale=0.1, rotate=10.0, brightness=0.1, contrast=0.1),
    "sound": Augmentation(shift=0.0, noise=4.0, masks=0.2),
}
"""By kind: `flip_shift` as is customary for CIFAR-10, `small` with colours and cutout too (pictures of about 32x32),
`crops` for ImageNet, `symbols` where a mirrored picture is another."""


def find_preset(name: str) -> Augmentation:
    if name not in PRESETS:
        raise InputError(f"unknown augmentation {name!r}: expected one of {', '.join(PRESETS)}")
    return PRESETS[name]


def augment_batch(
    pictures: NDArray[np.uint8], resolution: int, recipe: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Pictures [n, s, s, c] changed by the recipe, at [n, resolution, resolution, c]."""
    if recipe.rotate:
        pictures = rotate(pictures, rng.uniform(-recipe.rotate, recipe.rotate, len(pictures)).astype(np.float32))
    side = pictures.shape[1]
    centre, extent, flip = _windows(len(pictures), side, recipe, rng)
    if resolution == side and not (recipe.scale or recipe.crop):
        levels = _move(pictures, centre, flip).astype(np.float32)
    else:
        levels = resample(pictures, resolution, centre, extent, flip)
    levels = _recolour(levels, recipe, rng)
    if recipe.noise:
        sigma = rng.uniform(0, recipe.noise, (len(levels), 1, 1, 1)).astype(np.float32)
        levels = levels + rng.standard_normal(levels.shape, dtype=np.float32) * sigma
    result = to_pixels(levels)
    if recipe.cutout:
        _cut_out(result, recipe.cutout, rng)
    if recipe.masks:
        _mask_bands(result, recipe.masks, rng)
    return result


def _move(
    pictures: NDArray[np.uint8], centre: NDArray[np.float32], flip: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """What resample() gives for windows of the whole side that are off by whole pixels, without arithmetic."""
    count, side = len(pictures), pictures.shape[1]
    off = np.rint((centre - 0.5) * side).astype(np.int64)
    places = np.clip(np.arange(side) + off[:, :, None], 0, side - 1)
    columns = places[:, 1] if flip is None else np.where(flip[:, None], places[:, 1, ::-1], places[:, 1])
    return np.asarray(pictures[np.arange(count)[:, None, None], places[:, 0, :, None], columns[:, None, :]])


def _windows(
    count: int, side: int, recipe: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_] | None]:
    flip = rng.random(count) < 0.5 if recipe.flip else None
    if recipe.crop:
        area = rng.uniform(recipe.crop, 1.0, (count, 1))
        aspect = np.exp(rng.uniform(-0.288, 0.288, (count, 1)))  # ratios 3/4 to 4/3
        extent = np.minimum(np.sqrt(area) * np.hstack([np.sqrt(aspect), 1 / np.sqrt(aspect)]), 1.0)
        centre = extent / 2 + rng.random((count, 2)) * (1 - extent)
        return centre.astype(np.float32), extent.astype(np.float32), flip
    shift = rng.uniform(-recipe.shift, recipe.shift, (count, 2))
    centre = 0.5 + (shift if recipe.scale else np.rint(shift * side) / side)
    extent = 1.0 + rng.uniform(-recipe.scale, recipe.scale, (count, 1)) * np.ones((1, 2))
    return centre.astype(np.float32), extent.astype(np.float32), flip


def _recolour(levels: NDArray[np.float32], recipe: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """out = gain * (saturation * x + (1 - saturation) * grey) + offset, the three steps folded into one pass or two."""
    if not (recipe.brightness or recipe.contrast or recipe.saturation):
        return levels
    count = len(levels)

    def factors(spread: float) -> NDArray[np.float32]:
        return rng.uniform(1 - spread, 1 + spread, (count, 1, 1, 1)).astype(np.float32)

    brightness, contrast = factors(recipe.brightness), factors(recipe.contrast)
    mean = levels.mean(axis=(1, 2, 3), keepdims=True)
    gain, offset = contrast * brightness, mean * (1 - contrast) * brightness
    if recipe.saturation and levels.shape[3] == 3:
        saturation = factors(recipe.saturation)
        grey = levels.mean(axis=3, keepdims=True)
        levels = levels * (gain * saturation)
        levels += grey * (gain * (1 - saturation)) + offset
        return levels
    levels = levels * gain
    levels += offset
    return levels


def _cut_out(pictures: NDArray[np.uint8], part: float, rng: np.random.Generator) -> None:
    side = pictures.shape[1]
    half = max(1, round(side * part / 2))
    centres = rng.integers(0, side, (len(pictures), 2))
    for picture, (row, column), chosen in zip(pictures, centres, rng.random(len(pictures)) < 0.5, strict=True):
        if chosen:
            picture[max(0, row - half) : row + half, max(0, column - half) : column + half] = 128


def _mask_bands(pictures: NDArray[np.uint8], part: float, rng: np.random.Generator) -> None:
    """SpecAugment: one band of frequencies (rows) and one stretch of time (columns) set to the picture's mean."""
    side = pictures.shape[1]
    widths = (rng.random((len(pictures), 2)) * part * side).astype(np.int64)
    starts = (rng.random((len(pictures), 2)) * (side - widths)).astype(np.int64)
    for picture, (high, wide), (row, column) in zip(pictures, widths, starts, strict=True):
        mean = int(picture.mean())
        picture[row : row + high] = mean
        picture[:, column : column + wide] = mean
