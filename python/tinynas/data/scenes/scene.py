"""One picture of the bundled data set: place, things, perhaps a person, light, lens and sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from tinynas.data.scenes.backdrops import draw_backdrop
from tinynas.data.scenes.figure import draw_person
from tinynas.data.scenes.objects import OCCLUDERS, draw_object
from tinynas.data.scenes.paint import Canvas, texture

SIZE = 96
"""Side of a finished picture."""
CLASSES = ("no person", "person")
DRAWING_VERSION = 2
"""Raised whenever the pictures change: part of the cache's name."""

_OVERSAMPLING = 2
_FAR, _MIDDLE, _NEAR = 0.05, 0.45, 0.6
"""Bounds of a subject's share of the picture's height."""
_FAR_PART = 0.12
"""Part of the subjects that are smaller than _MIDDLE."""
_COMPANY = 0.3
"""Chance of each further thing in a picture with a person to be a person too."""


def draw_scene(seed: int, split: int, index: int) -> tuple[NDArray[np.uint8], int]:
    """Picture [96, 96, 3] and label (1 = a person is in it) number `index` of a split; depends on nothing else.

    Both classes hold as many things, drawn by the same rules: where one has its persons, the other has objects.
    """
    rng = np.random.default_rng([seed, split, index])
    label = index % 2
    canvas = Canvas(SIZE * _OVERSAMPLING)
    horizon = draw_backdrop(canvas, rng)
    others = int(rng.choice(4, p=(0.5, 0.32, 0.15, 0.03)))
    things = [(rng.random() < _COMPANY and label == 1, _height(rng) * 0.85) for _ in range(others)]
    things.append((label == 1, _height(rng)))
    for is_person, height in sorted(things, key=lambda thing: thing[1]):  # the far ones first
        _place(canvas, rng, horizon, (is_person, height))
    return _expose(rng, canvas.image), label


def _height(rng: np.random.Generator) -> float:
    """Share of the picture's height, 5 to 60 %: log-uniform among the far ones, uniform among the near."""
    if rng.random() < _FAR_PART:
        return float(_FAR * (_MIDDLE / _FAR) ** np.sqrt(rng.random()))
    return float(rng.uniform(_MIDDLE, _NEAR))


def _place(canvas: Canvas, rng: np.random.Generator, horizon: float, thing: tuple[bool, float]) -> None:
    """Draws a person or an object on the ground, nearer (lower) the bigger it is, perhaps with something in front."""
    is_person, height = thing
    x = float(rng.uniform(0.15, 0.85))
    nearness = min(1.0, height / 0.6)
    ground = horizon + (1.0 - horizon) * nearness * float(rng.uniform(0.6, 1.0)) + float(rng.uniform(0.0, 0.06))
    ground = min(max(ground, height + 0.02), 1.03)
    draw = draw_person if is_person else draw_object
    draw(canvas, rng, x, ground, height)
    if rng.random() < 0.16:
        occluder = OCCLUDERS[int(rng.integers(len(OCCLUDERS)))]
        beside = x + float(rng.normal(0, 0.25)) * height
        occluder(canvas, rng, beside, ground + 0.02, height * float(rng.uniform(0.2, 0.5)))


def _expose(rng: np.random.Generator, image: Image.Image) -> NDArray[np.uint8]:
    """Light (level, colour, direction, haze), lens (blur) and sensor (noise), on the reduced picture."""
    small = image.reduce(_OVERSAMPLING)
    blur = float(rng.gamma(1.0, 0.32))
    if blur > 0.3:
        small = small.filter(ImageFilter.GaussianBlur(min(blur, 1.6)))
    light = np.asarray(small, dtype=np.float32)
    gain = float(rng.uniform(0.75, 1.2))
    tint = rng.normal(1.0, 0.04, 3).astype(np.float32) * gain
    ramp = np.linspace(-1.0, 1.0, SIZE, dtype=np.float32)
    slope = rng.normal(0.0, 0.15, 2).astype(np.float32)
    field = 1.0 + slope[0] * ramp[:, None] + slope[1] * ramp[None, :]
    if rng.random() < 0.3:  # shadows of things outside the picture
        field *= 1.0 + texture(rng, int(rng.integers(2, 6)), SIZE, 0.28)
    light = light * tint * np.maximum(field, 0.15)[:, :, None]
    haze = float(rng.uniform(0.0, 0.4)) if rng.random() < 0.25 else 0.0
    light = light * (1 - haze) + float(rng.uniform(90, 200)) * haze
    if rng.random() < 0.05:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    sigma = float(rng.gamma(1.5, 1.8))
    light += rng.standard_normal(light.shape, dtype=np.float32) * min(sigma, 18.0)
    return np.asarray(np.clip(light + 0.5, 0, 255), dtype=np.uint8)
