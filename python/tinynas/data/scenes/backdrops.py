"""The places: each drawer fills the canvas and returns the height (y) of its horizon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinynas.data.scenes.objects import draw_bush, draw_tree, draw_vehicle
from tinynas.data.scenes.paint import (
    LEAF,
    STONE,
    WOOD,
    Canvas,
    Colour,
    add_texture,
    any_colour,
    clip_colour,
    gradient,
    pick,
    shade,
    texture,
)

Backdrop = Callable[[Canvas, np.random.Generator], float]


def _sky(rng: np.random.Generator) -> tuple[Colour, Colour]:
    kind = rng.integers(4)
    if kind == 0:
        return pick(rng, ((80, 130, 200),)), pick(rng, ((190, 215, 235),))
    if kind == 1:
        return pick(rng, ((150, 155, 160),)), pick(rng, ((205, 205, 205),))
    if kind == 2:
        return pick(rng, ((60, 70, 120),)), pick(rng, ((226, 170, 140),))
    return pick(rng, ((22, 26, 44),)), pick(rng, ((60, 62, 84),))


def _clouds(canvas: Canvas, rng: np.random.Generator, horizon: float) -> None:
    for _ in range(int(rng.integers(0, 4))):
        x, y = float(rng.random()), float(rng.uniform(0, horizon))
        grey = int(rng.integers(150, 250))
        for _ in range(4):
            centre = (x + float(rng.normal(0, 0.06)), y + float(rng.normal(0, 0.015)))
            canvas.ellipse(centre, float(rng.uniform(0.03, 0.1)), float(rng.uniform(0.015, 0.04)), (grey, grey, grey))


def draw_field(canvas: Canvas, rng: np.random.Generator) -> float:
    """Sky, hills, a meadow, beach or snow, trees on the horizon, sometimes a fence."""
    horizon = float(rng.uniform(0.2, 0.55))
    gradient(canvas, (0.0, horizon), *_sky(rng))
    _clouds(canvas, rng, horizon)
    grounds: tuple[Colour, ...] = ((86, 124, 56), (120, 132, 70), (196, 190, 150), (232, 236, 242), (108, 98, 80))
    earth = pick(rng, grounds)
    for _ in range(int(rng.integers(0, 4))):
        width, high = float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.03, 0.18))
        canvas.ellipse(
            (float(rng.random()), horizon + 0.02), width, high, shade(pick(rng, LEAF), float(rng.uniform(0.6, 1.1)))
        )
    gradient(canvas, (horizon, 1.0), shade(earth, 0.9), shade(earth, 1.05))
    for _ in range(int(rng.integers(0, 5))):
        draw_tree(canvas, rng, float(rng.random()), horizon + 0.03, float(rng.uniform(0.06, 0.3)))
    if rng.random() < 0.3:
        _fence(canvas, rng, horizon + float(rng.uniform(0.03, 0.3)))
    for cells, strength in ((12, 14.0), (60, float(rng.uniform(8, 26)))):
        add_texture(canvas, texture(rng, cells, canvas.pixels, strength), horizon)
    return horizon


def _fence(canvas: Canvas, rng: np.random.Generator, y: float) -> None:
    wood, step = pick(rng, WOOD), float(rng.uniform(0.05, 0.14))
    tall = step * float(rng.uniform(0.8, 1.6))
    for part in (0.35, 0.75):
        canvas.line((0.0, y - tall * part), (1.0, y - tall * part), 0.008, wood)
    x = float(rng.uniform(0, step))
    while x < 1.0:
        canvas.line((x, y), (x, y - tall), 0.014, wood)
        x += step


def draw_street(canvas: Canvas, rng: np.random.Generator) -> float:
    """Houses with windows and doors, pavement, road, parked cars."""
    horizon = float(rng.uniform(0.35, 0.6))
    gradient(canvas, (0.0, horizon), *_sky(rng))
    x = -float(rng.uniform(0, 0.2))
    while x < 1.0:
        width = float(rng.uniform(0.15, 0.45))
        _house(canvas, rng, (x, float(rng.uniform(0.0, horizon * 0.8)), x + width, horizon))
        x += width
    road = pick(rng, ((96, 96, 100), (70, 70, 74), (140, 136, 130)))
    kerb = horizon + float(rng.uniform(0.05, 0.2))
    gradient(canvas, (horizon, kerb), shade(pick(rng, STONE), 0.9), pick(rng, STONE))
    gradient(canvas, (kerb, 1.0), road, shade(road, 1.15))
    if rng.random() < 0.5:
        canvas.polygon([(0.0, 1.0), (0.2, 1.0), (0.55, kerb), (0.5, kerb)], (220, 220, 210))
    if rng.random() < 0.6:
        draw_vehicle(canvas, rng, float(rng.random()), kerb + 0.04, float(rng.uniform(0.08, 0.2)))
    add_texture(canvas, texture(rng, 48, canvas.pixels, float(rng.uniform(3, 14))))
    return kerb


def _house(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    bricks: tuple[Colour, ...] = ((134, 84, 80), (176, 172, 150), (130, 130, 134), (206, 206, 196), (96, 84, 84))
    wall = pick(rng, bricks)
    canvas.rectangle(left, top, right, bottom, wall)
    glass = pick(rng, ((60, 76, 96), (30, 34, 44), (220, 190, 110), (150, 170, 190)))
    across, step = float(rng.uniform(0.04, 0.1)), float(rng.uniform(0.08, 0.16))
    y = top + step * 0.4
    while y + across < bottom:
        x = left + across * 0.6
        while x + across < right:
            canvas.rectangle(x, y, x + across * 0.6, y + across, glass)
            x += across * 1.5
        y += step
    if rng.random() < 0.5:
        door = float(rng.uniform(left, right))
        canvas.rectangle(door, bottom - 0.12, door + 0.05, bottom, shade(pick(rng, WOOD), 0.8))


def draw_room(canvas: Canvas, rng: np.random.Generator) -> float:
    """Wall (plain, striped or tiled), floor in perspective, window, pictures, shelf or curtain."""
    floor = float(rng.uniform(0.45, 0.8))
    wall: Colour = clip_colour(*(float(v) for v in rng.normal((176, 182, 182), 36)))
    gradient(canvas, (0.0, floor), shade(wall, float(rng.uniform(0.75, 1.1))), wall)
    if rng.random() < 0.35:
        step = float(rng.uniform(0.03, 0.12))
        for x in np.arange(0.0, 1.0, step):
            canvas.rectangle(float(x), 0.0, float(x) + step * 0.45, floor, shade(wall, 0.88))
    wood = pick(rng, WOOD + STONE)
    gradient(canvas, (floor, 1.0), shade(wood, 0.85), shade(wood, 1.1))
    for i in np.arange(-1.5, 2.5, float(rng.uniform(0.1, 0.3))):
        canvas.line((0.5 + (float(i) - 0.5) * 0.45, floor), (float(i), 1.0), 0.006, shade(wood, 0.7))
    canvas.rectangle(0.0, floor - 0.02, 1.0, floor, shade(wall, 0.7))
    for _ in range(int(rng.integers(0, 4))):
        x, y = float(rng.uniform(0, 0.9)), float(rng.uniform(0.02, floor * 0.6))
        width, high = float(rng.uniform(0.05, 0.25)), float(rng.uniform(0.08, 0.3))
        canvas.rectangle(x - 0.012, y - 0.012, x + width + 0.012, y + high + 0.012, pick(rng, WOOD))
        canvas.rectangle(x, y, x + width, min(y + high, floor - 0.05), any_colour(rng))
    if rng.random() < 0.3:
        x, cloth = float(rng.uniform(0, 0.85)), any_colour(rng)
        for fold in range(6):
            canvas.rectangle(
                x + fold * 0.025, 0.0, x + (fold + 1) * 0.025, floor, shade(cloth, 0.85 + 0.25 * (fold % 2))
            )
    return floor


def draw_open_sky(canvas: Canvas, rng: np.random.Generator) -> float:
    """Sea or haze: a low horizon under a wide sky, some birds."""
    horizon = float(rng.uniform(0.5, 0.85))
    gradient(canvas, (0.0, horizon), *_sky(rng))
    _clouds(canvas, rng, horizon)
    sea = pick(rng, ((50, 90, 120), (90, 120, 130), (190, 188, 164), (112, 110, 100)))
    gradient(canvas, (horizon, 1.0), sea, shade(sea, 0.8))
    for _ in range(int(rng.integers(0, 5))):
        x, y, span = float(rng.random()), float(rng.uniform(0, horizon)), float(rng.uniform(0.01, 0.04))
        canvas.line((x - span, y - span * 0.5), (x, y), 0.006, (40, 40, 44))
        canvas.line((x, y), (x + span, y - span * 0.5), 0.006, (40, 40, 44))
    add_texture(canvas, texture(rng, 40, canvas.pixels, float(rng.uniform(4, 18))), horizon)
    return horizon


def draw_textured(canvas: Canvas, rng: np.random.Generator) -> float:
    """Brick, camouflage, undergrowth or blotches over the whole picture."""
    colour = any_colour(rng)
    gradient(canvas, (0.0, 1.0), colour, shade(colour, float(rng.uniform(0.6, 1.3))))
    kind = rng.integers(3)
    if kind == 0:
        step = float(rng.uniform(0.05, 0.12))
        for row, y in enumerate(np.arange(0.0, 1.0, step)):
            for x in np.arange(-step * (row % 2), 1.0, step * 2):
                brick = shade(colour, float(rng.uniform(0.8, 1.2)))
                canvas.rectangle(float(x), float(y), float(x) + step * 1.85, float(y) + step * 0.85, brick)
    elif kind == 1:
        for _ in range(40):
            centre = (float(rng.random()), float(rng.random()))
            blotch = shade(colour, float(rng.uniform(0.5, 1.5)))
            canvas.ellipse(centre, float(rng.uniform(0.02, 0.15)), float(rng.uniform(0.02, 0.1)), blotch)
    else:
        for _ in range(int(rng.integers(4, 9))):
            draw_bush(canvas, rng, float(rng.random()), float(rng.uniform(0.3, 1.1)), float(rng.uniform(0.15, 0.5)))
    for cells in (6, 24, 72):
        add_texture(canvas, texture(rng, cells, canvas.pixels, float(rng.uniform(4, 22))))
    return float(rng.uniform(0.3, 0.6))


BACKDROPS: tuple[tuple[Backdrop, float], ...] = (
    (draw_room, 0.27),
    (draw_street, 0.25),
    (draw_field, 0.25),
    (draw_open_sky, 0.17),
    (draw_textured, 0.06),
)
"""Every place with its odds."""

_ODDS = np.array([odds for _, odds in BACKDROPS])


def draw_backdrop(canvas: Canvas, rng: np.random.Generator) -> float:
    """One place of a random kind; returns its horizon."""
    return BACKDROPS[int(rng.choice(len(BACKDROPS), p=_ODDS))][0](canvas, rng)
