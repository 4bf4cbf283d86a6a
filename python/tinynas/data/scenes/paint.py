"""A canvas in unit coordinates and the colours of the drawn scenes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]

SKIN: tuple[Colour, ...] = (
    (255, 219, 190), (241, 194, 160), (224, 172, 130), (198, 134, 90), (160, 102, 66), (120, 76, 50), (86, 54, 38),
)  # fmt: skip
HAIR: tuple[Colour, ...] = ((30, 22, 18), (62, 42, 28), (110, 76, 44), (186, 146, 84), (150, 148, 146), (140, 60, 30))
CLOTH: tuple[Colour, ...] = (
    (24, 26, 34), (52, 62, 96), (90, 96, 110), (140, 34, 40), (40, 96, 62), (214, 206, 190), (186, 150, 96),
    (110, 70, 48), (64, 110, 170), (196, 98, 40), (222, 190, 60), (120, 64, 122), (236, 236, 238), (70, 74, 50),
)  # fmt: skip
THING: tuple[Colour, ...] = (
    (28, 30, 36), (52, 62, 96), (90, 96, 110), (130, 30, 36), (40, 96, 62), (222, 222, 224), (64, 110, 170),
    (196, 180, 50), (110, 60, 112), (70, 74, 50), (40, 120, 130),
)  # fmt: skip
"""Painted and woven things other than clothes that are worn; like STONE and WOOD without the hues of skin."""
STONE: tuple[Colour, ...] = ((142, 146, 146), (184, 186, 184), (116, 118, 120), (92, 94, 96), (206, 208, 206))
LEAF: tuple[Colour, ...] = ((50, 92, 38), (76, 122, 50), (38, 70, 40), (110, 128, 52), (134, 122, 44), (96, 110, 80))
WOOD: tuple[Colour, ...] = ((84, 66, 46), (120, 104, 78), (66, 52, 38), (150, 138, 104), (58, 54, 50))
COAT: tuple[Colour, ...] = ((36, 32, 30), (78, 66, 54), (120, 112, 100), (206, 202, 194), (150, 140, 116), (92, 92, 94))
"""Fur."""


def pick(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 14.0) -> Colour:
    """One of the colours, shifted a little so that no two objects share theirs."""
    base = colours[int(rng.integers(len(colours)))]
    shift = rng.normal(0.0, spread, 3)
    return clip_colour(base[0] + shift[0], base[1] + shift[1], base[2] + shift[2])


def any_colour(rng: np.random.Generator) -> Colour:
    r, g, b = rng.integers(15, 245, 3)
    return int(r), int(g), int(b)


def shade(colour: Colour, factor: float) -> Colour:
    return clip_colour(colour[0] * factor, colour[1] * factor, colour[2] * factor)


def clip_colour(r: float, g: float, b: float) -> Colour:
    return min(255, max(0, int(r))), min(255, max(0, int(g))), min(255, max(0, int(b)))


class Canvas:
    """A square picture addressed in [0, 1] x [0, 1] (y down), drawn larger than delivered for smooth edges."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self.image = Image.new("RGB", (pixels, pixels))
        self._draw = ImageDraw.Draw(self.image)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        n = self.pixels
        if right * n - left * n >= 0.5 and bottom >= top:
            self._draw.rectangle((left * n, top * n, right * n, bottom * n), fill=colour)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        n = self.pixels
        self._draw.polygon([(x * n, y * n) for x, y in points], fill=colour)

    def ellipse(self, centre: Point, radius_x: float, radius_y: float, colour: Colour) -> None:
        n = self.pixels
        x, y = centre
        self._draw.ellipse(
            ((x - radius_x) * n, (y - radius_y) * n, (x + radius_x) * n, (y + radius_y) * n), fill=colour
        )

    def line(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        n = self.pixels
        self._draw.line(
            (start[0] * n, start[1] * n, end[0] * n, end[1] * n), fill=colour, width=max(1, round(width * n))
        )

    def capsule(self, start: Point, end: Point, radii: tuple[float, float], colour: Colour) -> None:
        """A limb: two discs of their own radii and the quadrilateral between them."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy)
        first, second = radii
        if length > 1e-6:
            nx, ny = -dy / length, dx / length
            self.polygon(
                [
                    (start[0] + nx * first, start[1] + ny * first),
                    (end[0] + nx * second, end[1] + ny * second),
                    (end[0] - nx * second, end[1] - ny * second),
                    (start[0] - nx * first, start[1] - ny * first),
                ],
                colour,
            )
        self.ellipse(start, first, first, colour)
        self.ellipse(end, second, second, colour)

    def paste(self, picture: Image.Image, box: tuple[int, int], mask: Image.Image | None = None) -> None:
        self.image.paste(picture, box, mask)


def texture(rng: np.random.Generator, cells: int, pixels: int, strength: float) -> NDArray[np.float32]:
    """Smooth noise [pixels, pixels] of about +-strength with `cells` bumps along a side."""
    coarse = (rng.random((cells, cells), dtype=np.float32) - 0.5) * (2.0 * strength)
    grown = Image.fromarray(coarse).resize((pixels, pixels), Image.Resampling.BICUBIC)
    return np.asarray(grown, dtype=np.float32)


def add_texture(canvas: Canvas, noise: NDArray[np.float32], top: float = 0.0, bottom: float = 1.0) -> None:
    """Brightens and darkens the rows top..bottom by `noise` (grey levels, as tall as the canvas)."""
    n = canvas.pixels
    first, last = max(0, round(top * n)), min(n, round(bottom * n))
    if last <= first:
        return
    band = np.asarray(canvas.image.crop((0, first, n, last)), dtype=np.float32) + noise[first:last, :, None]
    canvas.paste(Image.fromarray(np.clip(band, 0, 255).astype(np.uint8)), (0, first))


def gradient(canvas: Canvas, rows: tuple[float, float], top: Colour, bottom: Colour) -> None:
    """Fills the rows rows[0]..rows[1] with a vertical blend of two colours."""
    n = canvas.pixels
    first, last = max(0, round(rows[0] * n)), min(n, round(rows[1] * n))
    if last <= first:
        return
    blend = np.linspace(0.0, 1.0, last - first, dtype=np.float32)[:, None]
    column = np.asarray(top, dtype=np.float32) * (1 - blend) + np.asarray(bottom, dtype=np.float32) * blend
    strip = Image.fromarray(column.astype(np.uint8)[:, None, :]).resize((n, last - first), Image.Resampling.NEAREST)
    canvas.paste(strip, (0, first))
