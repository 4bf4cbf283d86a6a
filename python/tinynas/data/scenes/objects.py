"""What is not a person: things that stand in both classes, some of them shaped or coloured like one on purpose.

Every drawer takes (canvas, rng, x, ground, height): the object stands at `x` on `ground` (y), about `height` tall.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinynas.data.scenes.paint import COAT, LEAF, STONE, THING, WOOD, Canvas, Point, any_colour, pick, shade

Drawer = Callable[[Canvas, np.random.Generator, float, float, float], None]


def draw_animal(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """Four legs: dog, horse, sheep or giraffe by its proportions."""
    coat = pick(rng, COAT)
    leg_part = float(rng.uniform(0.35, 0.6))
    neck = float(rng.uniform(0.1, 0.6))
    size = height / (leg_part + 0.3 + neck * 0.6)
    length, thick = float(rng.uniform(0.6, 1.1)) * size, float(rng.uniform(0.14, 0.22)) * size
    turn = 1.0 if rng.random() < 0.5 else -1.0
    back = ground - leg_part * size - thick
    for where, dark in ((-0.42, 0.75), (0.36, 0.75), (-0.34, 1.0), (0.44, 1.0)):
        swing = float(rng.normal(0, 0.1)) * size
        root = (x + turn * where * length, back + thick * 0.3)
        knee = (root[0] + swing, ground - leg_part * size * 0.45)
        canvas.capsule(root, knee, (0.06 * size, 0.04 * size), shade(coat, dark))
        canvas.capsule(knee, (root[0] + swing * 1.2, ground), (0.035 * size, 0.03 * size), shade(coat, dark))
    canvas.capsule((x - turn * length * 0.4, back), (x + turn * length * 0.4, back), (thick, thick * 0.95), coat)
    angle = float(rng.uniform(0.2, 1.2))
    shoulder = (x + turn * length * 0.45, back - thick * 0.3)
    head = (shoulder[0] + turn * math.cos(angle) * neck * size, shoulder[1] - math.sin(angle) * neck * size)
    canvas.capsule(shoulder, head, (thick * 0.6, thick * 0.4), coat)
    muzzle = (head[0] + turn * 0.16 * size, head[1] + 0.05 * size)
    canvas.capsule(head, muzzle, (thick * 0.5, thick * 0.3), shade(coat, 1.08))
    canvas.capsule(
        head, (head[0] - turn * 0.02 * size, head[1] - 0.12 * size), (thick * 0.2, thick * 0.1), shade(coat, 0.8)
    )
    tail = (x - turn * length * 0.5, back)
    canvas.line(
        tail, (tail[0] - turn * 0.12 * size, tail[1] + float(rng.uniform(-0.15, 0.2)) * size), 0.04 * size, coat
    )


def draw_tree(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    trunk, leaf = pick(rng, WOOD), pick(rng, LEAF)
    crown = height * float(rng.uniform(0.25, 0.42))
    width = height * float(rng.uniform(0.02, 0.06))
    top = ground - height + crown
    canvas.capsule((x, ground), (x, top), (width, width * 0.7), trunk)
    for _ in range(int(rng.integers(1, 3))):
        side = float(rng.uniform(-0.3, 0.3)) * height
        canvas.line((x, ground - height * float(rng.uniform(0.3, 0.5))), (x + side, top), width, shade(trunk, 0.9))
    if rng.random() < 0.25:
        canvas.polygon([(x - crown, top + crown), (x, ground - height), (x + crown, top + crown)], leaf)
        return
    for _ in range(int(rng.integers(3, 9))):
        centre = (x + float(rng.normal(0, 0.35)) * crown, top + float(rng.normal(0, 0.35)) * crown)
        radius = crown * float(rng.uniform(0.35, 0.75))
        canvas.ellipse(
            centre, radius, radius * float(rng.uniform(0.7, 1.1)), shade(leaf, float(rng.uniform(0.75, 1.3)))
        )


def draw_bush(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    leaf = pick(rng, LEAF)
    for _ in range(int(rng.integers(6, 14))):
        centre = (x + float(rng.normal(0, 0.5)) * height, ground - float(rng.uniform(0.1, 0.8)) * height)
        radius = height * float(rng.uniform(0.12, 0.3))
        canvas.ellipse(centre, radius, radius, shade(leaf, float(rng.uniform(0.7, 1.35))))


def draw_pole(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """Lamp post, traffic sign or parking meter: a pole with a head."""
    metal = pick(rng, STONE + THING)
    width = height * float(rng.uniform(0.015, 0.06))
    canvas.capsule((x, ground), (x, ground - height * 0.93), (width, width), metal)
    head = height * float(rng.uniform(0.05, 0.14))
    colour = pick(rng, STONE + THING) if rng.random() < 0.6 else any_colour(rng)
    top = (x, ground - height + head)
    kind = rng.integers(4)
    if kind == 0:
        canvas.ellipse(top, head, head, colour)
    elif kind == 1:
        canvas.rectangle(x - head, top[1] - head, x + head, top[1] + head, colour)
    elif kind == 2:
        arm = height * float(rng.uniform(0.1, 0.3)) * (1 if rng.random() < 0.5 else -1)
        canvas.line(top, (x + arm, top[1] - head * 0.3), width * 1.5, metal)
        canvas.ellipse((x + arm, top[1]), head * 0.7, head * 0.4, colour)
    else:
        canvas.polygon([(x - head, top[1] + head), (x, top[1] - head), (x + head, top[1] + head)], colour)


def draw_column(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """A stone column, some with a ball or an urn on top."""
    stone = pick(rng, STONE)
    width = height * float(rng.uniform(0.07, 0.15))
    canvas.rectangle(x - width * 1.5, ground - height * 0.1, x + width * 1.5, ground, shade(stone, 0.85))
    top = ground - height * 0.84
    canvas.polygon(
        [
            (x - width, ground - height * 0.1),
            (x - width * 0.8, top),
            (x + width * 0.8, top),
            (x + width, ground - height * 0.1),
        ],
        stone,
    )
    canvas.rectangle(x - width * 0.8, top, x - width * 0.4, ground - height * 0.1, shade(stone, 1.12))
    canvas.rectangle(x - width * 1.3, top - height * 0.04, x + width * 1.3, top, shade(stone, 1.08))
    radius = height * float(rng.uniform(0.05, 0.075))
    if rng.random() < 0.7:
        canvas.ellipse((x, top - height * 0.03 - radius), radius, radius, shade(stone, 1.05))


def draw_chair(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    wood = pick(rng, WOOD + THING)
    width, seat = height * float(rng.uniform(0.22, 0.4)), ground - height * float(rng.uniform(0.4, 0.55))
    thick = height * 0.05
    turn = 1 if rng.random() < 0.5 else -1
    for side, dark in ((-0.8, 0.75), (0.75, 0.75), (-1.0, 1.0), (1.0, 1.0)):
        canvas.line((x + side * width, seat), (x + side * width * 1.05, ground), thick, shade(wood, dark))
    canvas.rectangle(x - width, seat, x + width, seat + thick * 1.5, shade(wood, 1.1))
    back = x - turn * width
    canvas.polygon(
        [
            (back - thick, seat),
            (back + thick, seat),
            (back - turn * thick, ground - height),
            (back - turn * thick * 3, ground - height),
        ],
        wood,
    )


def draw_table(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    wood = pick(rng, WOOD)
    top, half = ground - height * 0.7, height * float(rng.uniform(0.4, 0.8))
    for side in (-0.9, 0.9):
        canvas.line((x + side * half, top), (x + side * half, ground), height * 0.06, shade(wood, 0.8))
    canvas.rectangle(x - half, top - height * 0.07, x + half, top, wood)
    item = pick(rng, THING + STONE)
    place = x + float(rng.uniform(-0.6, 0.6)) * half
    if rng.random() < 0.5:
        canvas.ellipse((place, top - height * 0.18), height * 0.1, height * 0.12, item)
    else:
        canvas.rectangle(place - height * 0.06, top - height * 0.3, place + height * 0.06, top - height * 0.07, item)


def draw_coat_stand(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """A stand with a coat and often a hat: a person's clothes without a person."""
    wood, cloth = pick(rng, WOOD), pick(rng, THING)
    top = ground - height
    canvas.line((x, ground), (x, top), height * 0.03, wood)
    canvas.line((x - height * 0.1, ground), (x, ground - height * 0.1), height * 0.03, wood)
    canvas.line((x + height * 0.1, ground), (x, ground - height * 0.1), height * 0.03, wood)
    wide, drop = height * float(rng.uniform(0.09, 0.16)), height * float(rng.uniform(0.35, 0.6))
    neck = top + height * 0.15
    shape = [(x - wide * 0.3, neck), (x + wide * 0.3, neck), (x + wide, neck + height * 0.06)]
    canvas.polygon(
        [*shape, (x + wide * 0.9, neck + drop), (x - wide * 0.9, neck + drop), (x - wide, neck + height * 0.06)], cloth
    )
    canvas.line((x, neck), (x, neck + drop), height * 0.012, shade(cloth, 0.7))
    if rng.random() < 0.5:
        canvas.ellipse((x, top + height * 0.04), height * 0.08, height * 0.04, pick(rng, THING))


def draw_washing(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """Shirts and trousers on a line: limbs and clothing, nobody in them."""
    line = ground - height
    reach = height * 0.9
    canvas.line((x - reach, line), (x + reach, line), height * 0.015, (70, 70, 70))
    for _ in range(int(rng.integers(1, 4))):
        at, cloth = x + float(rng.uniform(-0.8, 0.8)) * reach, pick(rng, THING)
        wide = height * 0.1
        if rng.random() < 0.5:
            canvas.rectangle(at - wide, line, at + wide, line + height * 0.34, cloth)
            for side in (-1, 1):
                elbow = (at + side * wide * float(rng.uniform(1.3, 2.2)), line + height * float(rng.uniform(0.1, 0.3)))
                canvas.capsule((at + side * wide, line + height * 0.04), elbow, (height * 0.04, height * 0.035), cloth)
        else:
            for side in (-1, 1):
                foot = (at + side * wide * float(rng.uniform(0.4, 1.0)), line + height * 0.48)
                canvas.capsule(
                    (at + side * wide * 0.5, line + height * 0.04), foot, (height * 0.055, height * 0.04), cloth
                )


def draw_ball(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """Balls, one or stacked (a snowman's silhouette)."""
    colour = pick(rng, STONE + THING) if rng.random() < 0.7 else any_colour(rng)
    radius = height * (0.15 if rng.random() < 0.5 else 0.24)
    base = ground
    for scale in (1.0, 0.75, 0.5)[: int(rng.integers(1, 4))]:
        size = radius * scale
        canvas.ellipse((x, base - size), size, size, colour)
        canvas.ellipse((x - size * 0.3, base - size * 1.3), size * 0.4, size * 0.4, shade(colour, 1.2))
        base -= size * 1.8


def draw_cactus(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """A trunk with bent arms: cactus, or a bare branching stump."""
    colour = pick(rng, LEAF + WOOD)
    thick = height * float(rng.uniform(0.05, 0.1))
    canvas.capsule((x, ground), (x, ground - height + thick), (thick, thick * 0.9), colour)
    for side in (-1, 1):
        if rng.random() < 0.8:
            root = ground - height * float(rng.uniform(0.3, 0.65))
            elbow = (x + side * thick * float(rng.uniform(2, 3.5)), root - height * float(rng.uniform(-0.05, 0.08)))
            canvas.capsule((x, root), elbow, (thick * 0.6, thick * 0.6), colour)
            tip = (
                elbow[0] + side * thick * float(rng.uniform(-0.3, 0.5)),
                elbow[1] - height * float(rng.uniform(0.1, 0.3)),
            )
            canvas.capsule(elbow, tip, (thick * 0.6, thick * 0.5), shade(colour, 1.1))


def draw_box(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """Cupboard, letter box or hydrant."""
    colour = pick(rng, WOOD + THING)
    half = height * float(rng.uniform(0.12, 0.35))
    canvas.rectangle(x - half, ground - height, x + half, ground, colour)
    canvas.rectangle(x - half, ground - height, x - half * 0.6, ground, shade(colour, 1.12))
    if rng.random() < 0.5:
        canvas.ellipse((x, ground - height), half, half * 0.7, shade(colour, 1.05))
    canvas.line((x, ground - height * 0.9), (x, ground - height * 0.1), height * 0.02, shade(colour, 0.7))


def draw_vehicle(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    paint, size = any_colour(rng), height * 0.8
    half = size * float(rng.uniform(0.9, 1.4))
    canvas.rectangle(x - half, ground - size * 0.55, x + half, ground - size * 0.15, paint)
    roof = [(x - half * 0.7, ground - size * 0.5), (x - half * 0.4, ground - size), (x + half * 0.4, ground - size)]
    canvas.polygon([*roof, (x + half * 0.75, ground - size * 0.5)], shade(paint, 0.9))
    canvas.polygon(
        [
            (x - half * 0.5, ground - size * 0.55),
            (x - half * 0.3, ground - size * 0.9),
            (x + half * 0.3, ground - size * 0.9),
            (x + half * 0.5, ground - size * 0.55),
        ],
        (60, 76, 90),
    )
    for side in (-0.6, 0.6):
        canvas.ellipse((x + side * half, ground - size * 0.16), size * 0.17, size * 0.17, (28, 28, 30))


def draw_limbs(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """Driftwood, pipes or a heap of sticks: limb-like strokes in clothing colours joined the wrong way."""
    point: Point = (x, ground - height * float(rng.uniform(0.0, 0.4)))
    colour = pick(rng, THING + STONE + WOOD)
    for _ in range(int(rng.integers(3, 7))):
        angle, length = float(rng.uniform(0, 2 * math.pi)), height * float(rng.uniform(0.15, 0.5))
        end = (
            point[0] + math.cos(angle) * length,
            min(ground, max(ground - height, point[1] - math.sin(angle) * length)),
        )
        thick = height * float(rng.uniform(0.03, 0.08))
        canvas.capsule(point, end, (thick, thick * 0.8), colour)
        if rng.random() < 0.6:
            point = end
        if rng.random() < 0.4:
            colour = pick(rng, THING + STONE + WOOD)


OBJECTS: tuple[tuple[Drawer, float], ...] = (
    (draw_animal, 0.2), (draw_tree, .12), (draw_bush, 0.07), (draw_pole, 0.07), (draw_column, 0.07), (draw_chair, 0.09),
    (draw_table, 0.07), (draw_coat_stand, 0.04), (draw_washing, 0.03), (draw_ball, 0.06), (draw_cactus, 0.04),
    (draw_box, 0.06), (draw_vehicle, 0.06), (draw_limbs, 0.02),
)  # fmt: skip
"""Every kind with its odds."""

OCCLUDERS: tuple[Drawer, ...] = (draw_bush, draw_pole, draw_box, draw_column, draw_tree, draw_table)

_ODDS = np.array([odds for _, odds in OBJECTS]) / sum(odds for _, odds in OBJECTS)


def draw_object(canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float) -> None:
    """One object of a random kind."""
    OBJECTS[int(rng.choice(len(OBJECTS), p=_ODDS))][0](canvas, rng, x, ground, height)
