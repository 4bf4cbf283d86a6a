"""The person: a skeleton in three dimensions, posed, projected and dressed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tinynas.data.scenes.paint import CLOTH, HAIR, SKIN, WOOD, Canvas, Colour, Point, any_colour, pick, shade

Vector = tuple[float, float, float]
"""(forward, up, lateral), in units of the standing height."""

POSES = ("stand", "walk", "run", "sit", "bend", "crouch", "lie", "reach")
_POSE_ODDS = (0.24, 0.22, 0.08, 0.15, 0.1, 0.06, 0.08, 0.07)


@dataclass
class Pose:
    """Angles in radians; limbs are (left, right), 0 hangs straight down, positive swings forward."""

    lean: float = 0.0
    nod: float = 0.0
    roll: float = 0.0
    thigh: tuple[float, float] = (0.0, 0.0)
    knee: tuple[float, float] = (0.0, 0.0)
    arm: tuple[float, float] = (0.0, 0.0)
    elbow: tuple[float, float] = (0.0, 0.0)
    leg_out: float = 0.05
    arm_out: tuple[float, float] = (0.12, 0.12)


@dataclass
class Body:
    """Projected joints (x right, y down, in standing heights) and what the drawing needs besides."""

    joints: dict[str, Point] = field(default_factory=dict)
    near: str = "right"
    facing: float = 0.0
    """cos of the view: 1 looks at the camera, -1 away, 0 to the side."""
    child: float = 1.0

    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom), head included."""
        radius = 0.076 * self.child
        xs = [x for x, _ in self.joints.values()]
        ys = [y for _, y in self.joints.values()]
        head = self.joints["head"]
        return min([*xs, head[0] - radius]), min([*ys, head[1] - radius]), max([*xs, head[0] + radius]), max(ys) + 0.02


def sample_pose(rng: np.random.Generator) -> tuple[str, Pose]:
    name = POSES[int(rng.choice(len(POSES), p=_POSE_ODDS))]
    return name, _pose(rng, name)


def _pose(rng: np.random.Generator, name: str) -> Pose:
    def u(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    pose = Pose(lean=u(-0.06, 0.1), nod=u(-0.3, 0.3), leg_out=u(0.02, 0.18), arm_out=(u(0.05, 0.3), u(0.05, 0.3)))
    pose.thigh, pose.knee = (u(-0.1, 0.12), u(-0.1, 0.12)), (u(0, 0.15), u(0, 0.15))
    pose.arm, pose.elbow = (u(-0.2, 0.4), u(-0.2, 0.4)), (u(0, 1.6), u(0, 0.5))
    if name in {"walk", "run"}:
        swing = u(0.25, 0.5) if name == "walk" else u(0.5, 0.9)
        back = u(0.1, 0.5) if name == "walk" else u(0.8, 1.6)
        pose.thigh, pose.knee = (swing, -swing * 0.8), (u(0, 0.4), back)
        pose.arm, pose.elbow = (-swing, swing), (u(0.1, 1.5), u(0.1, 1.5))
        pose.lean = u(0, 0.12) if name == "walk" else u(0.1, 0.35)
    elif name == "sit":
        pose.thigh, pose.knee = (u(1.2, 1.65), u(1.2, 1.65)), (u(1.1, 1.8), u(1.1, 1.8))
        pose.arm, pose.elbow, pose.lean = (u(0.2, 1.0), u(0.2, 1.0)), (u(0.2, 1.4), u(0.2, 1.4)), u(-0.25, 0.35)
    elif name == "bend":
        pose.lean = u(0.8, 1.7)
        pose.arm, pose.elbow = (u(0.0, 0.9), u(0.0, 0.9)), (u(0, 0.6), u(0, 0.6))
        pose.thigh, pose.knee = (u(-0.1, 0.3), u(-0.1, 0.3)), (u(0, 0.5), u(0, 0.5))
    elif name == "crouch":
        pose.lean, pose.thigh, pose.knee = u(0.2, 0.7), (u(1.4, 2.1), u(0.9, 1.9)), (u(2.0, 2.5), u(1.8, 2.5))
        pose.arm, pose.elbow = (u(0.4, 1.2), u(0.4, 1.2)), (u(0, 0.9), u(0, 0.9))
    elif name == "lie":
        pose.roll = math.pi / 2 * (1 if rng.random() < 0.5 else -1) + u(-0.12, 0.12)
        pose.thigh, pose.knee = (u(-0.2, 0.9), u(-0.2, 0.5)), (u(0, 1.4), u(0, 0.8))
        pose.arm = (u(-0.4, 2.8), u(-0.4, 1.2))
    elif name == "reach":
        pose.arm, pose.elbow = (u(1.9, 3.1), u(-0.2, 3.0)), (u(-0.1, 0.8), u(0, 0.8))
        pose.arm_out = (u(0, 0.7), u(0, 0.9))
    return pose


def build_body(rng: np.random.Generator, pose: Pose) -> Body:
    """Joint positions of the posed skeleton seen from a random side."""
    child = 1.0 if rng.random() < 0.82 else float(rng.uniform(1.2, 1.5))
    view = float(rng.uniform(0, 2 * math.pi))
    neck_length, scale = 0.3, (1.0 - 0.14 * child) / 0.86
    points: dict[str, Vector] = {"hip": (0.0, 0.0, 0.0)}
    up: Vector = (math.sin(pose.lean), math.cos(pose.lean), 0.0)
    points["neck"] = _along(points["hip"], up, neck_length * scale)
    tilt = pose.lean * 0.7 + pose.nod
    points["head"] = _along(points["neck"], (math.sin(tilt), math.cos(tilt), 0.0), 0.045 + 0.065 * child)
    for side, sign, index in (("left", -1.0, 0), ("right", 1.0, 1)):
        shoulder = _along(points["neck"], up, -0.02)
        points[f"shoulder_{side}"] = (shoulder[0], shoulder[1], sign * 0.105)
        points[f"hip_{side}"] = (0.0, -0.01, sign * 0.055)
        _limb(
            points,
            ("hip", "knee", "ankle", side),
            (pose.thigh[index], -pose.knee[index]),
            sign * pose.leg_out,
            0.245 * scale,
        )
        out = sign * pose.arm_out[index]
        _limb(points, ("shoulder", "elbow", "hand", side), (pose.arm[index], pose.elbow[index]), out, 0.165 * scale)
        ankle = points[f"ankle_{side}"]
        points[f"toe_{side}"] = (ankle[0] + 0.075, ankle[1] - 0.015, ankle[2])
    sin, cos = math.sin(view), math.cos(view)
    if pose.roll:  # somebody lying is seen from the side more often than along the body
        sin = math.copysign(max(abs(sin), 0.8), sin)
        cos = math.copysign(math.sqrt(1 - sin * sin), cos)
    roll = pose.roll + float(rng.normal(0, 0.05))
    joints = {name: _project(point, (sin, cos), roll) for name, point in points.items()}
    near = "right" if sin * 1.0 >= 0 else "left"
    return Body(joints, near, cos, child)


def _along(start: Vector, direction: Vector, length: float) -> Vector:
    return start[0] + direction[0] * length, start[1] + direction[1] * length, start[2] + direction[2] * length


def _limb(
    points: dict[str, Vector], names: tuple[str, str, str, str], angles: tuple[float, float], out: float, length: float
) -> None:
    """Adds the middle and the end joint of a limb of two equal bones; angles are (first bone, bend of the second)."""
    root, middle, end, side = names
    position = points[f"{root}_{side}"]
    angle = 0.0
    for joint, turn in ((middle, angles[0]), (end, angles[1])):
        angle += turn
        direction = (math.sin(angle) * math.cos(out), -math.cos(angle) * math.cos(out), math.sin(out))
        position = _along(position, direction, length)
        points[f"{joint}_{side}"] = position


def _project(point: Vector, view: tuple[float, float], roll: float) -> Point:
    forward, up, lateral = point
    rolled_forward = forward * math.cos(roll) + up * math.sin(roll)
    rolled_up = -forward * math.sin(roll) + up * math.cos(roll)
    return rolled_forward * view[0] + lateral * view[1], -rolled_up


@dataclass(frozen=True)
class Outfit:
    skin: Colour
    hair: Colour
    top: Colour
    bottom: Colour
    shoes: Colour
    build: float
    long_sleeves: bool
    long_trousers: bool
    skirt: float
    """Length of a skirt or coat below the hip, 0 for none."""
    hat: Colour | None
    bag: Colour | None
    long_hair: bool


def sample_outfit(rng: np.random.Generator) -> Outfit:
    top = pick(rng, CLOTH) if rng.random() < 0.75 else any_colour(rng)
    return Outfit(
        skin=pick(rng, SKIN, 8),
        hair=pick(rng, HAIR, 8),
        top=top,
        bottom=top if rng.random() < 0.15 else pick(rng, CLOTH),
        shoes=pick(rng, WOOD),
        build=float(rng.uniform(0.8, 1.3)),
        long_sleeves=bool(rng.random() < 0.6),
        long_trousers=bool(rng.random() < 0.7),
        skirt=float(rng.uniform(0.12, 0.35)) if rng.random() < 0.3 else 0.0,
        hat=pick(rng, CLOTH) if rng.random() < 0.25 else None,
        bag=pick(rng, CLOTH) if rng.random() < 0.2 else None,
        long_hair=bool(rng.random() < 0.4),
    )


class _Dresser:
    """Draws one body: `at` maps its joints to the canvas, `size` scales its radii."""

    def __init__(self, canvas: Canvas, body: Body, outfit: Outfit, place: tuple[float, float, float]) -> None:
        self.canvas, self.body, self.outfit = canvas, body, outfit
        self.x, self.y, self.size = place

    def at(self, joint: str) -> Point:
        x, y = self.body.joints[joint]
        return self.x + x * self.size, self.y + y * self.size

    def bone(self, start: str, end: str, radii: tuple[float, float], colour: Colour) -> None:
        build = self.outfit.build * self.size
        first, second = self.at(start), self.at(end)
        self.canvas.capsule(first, second, (radii[0] * build, radii[1] * build), colour)
        if self.size > 0.25:  # light from above left gives bigger figures some volume
            offset = radii[1] * build * 0.35
            lit = ((first[0] - offset, first[1] - offset * 0.3), (second[0] - offset, second[1] - offset * 0.3))
            self.canvas.capsule(lit[0], lit[1], (radii[0] * build * 0.45, radii[1] * build * 0.45), shade(colour, 1.14))

    def leg(self, side: str, dark: float) -> None:
        outfit = self.outfit
        shin = outfit.bottom if outfit.long_trousers and not outfit.skirt else outfit.skin
        self.bone(f"ankle_{side}", f"toe_{side}", (0.026, 0.02), shade(outfit.shoes, dark))
        self.bone(f"knee_{side}", f"ankle_{side}", (0.04, 0.026), shade(shin, dark))
        self.bone(f"hip_{side}", f"knee_{side}", (0.06, 0.042), shade(outfit.bottom, dark))

    def arm(self, side: str, dark: float) -> None:
        outfit = self.outfit
        fore = outfit.top if outfit.long_sleeves else outfit.skin
        hand = self.at(f"hand_{side}")
        radius = 0.024 * self.size
        self.canvas.ellipse(hand, radius, radius, shade(outfit.skin, dark))
        self.bone(f"elbow_{side}", f"hand_{side}", (0.028, 0.021), shade(fore, dark))
        self.bone(f"shoulder_{side}", f"elbow_{side}", (0.038, 0.029), shade(outfit.top, dark))

    def torso(self) -> None:
        outfit = self.outfit
        corners = [self.at(j) for j in ("shoulder_left", "shoulder_right", "hip_right", "hip_left")]
        self.canvas.polygon(corners, outfit.top)
        self.bone("neck", "hip", (0.06, 0.07), outfit.top)
        if outfit.skirt:
            hip, neck = self.at("hip"), self.at("neck")
            knees = [self.at("knee_left"), self.at("knee_right")]
            reach = min(1.0, outfit.skirt / 0.245)
            hem = [(hip[0] + (x - hip[0]) * reach, hip[1] + (y - hip[1]) * reach) for x, y in knees]
            wide = 0.075 * outfit.build * self.size
            waist = (hip[0] * 0.75 + neck[0] * 0.25, hip[1] * 0.75 + neck[1] * 0.25)
            left, right = sorted(hem)
            skirt = [(waist[0] - wide * 0.7, waist[1]), (left[0] - wide, left[1]), (right[0] + wide, right[1])]
            self.canvas.polygon([*skirt, (waist[0] + wide * 0.7, waist[1])], outfit.bottom)

    def head(self) -> None:
        outfit, body = self.outfit, self.body
        head, neck = self.at("head"), self.at("neck")
        radius = 0.072 * body.child * self.size
        self.canvas.capsule(neck, head, (0.026 * self.size, 0.026 * self.size), shade(outfit.skin, 0.85))
        up = (head[0] - neck[0], head[1] - neck[1])
        length = max(1e-6, math.hypot(*up))
        up = (up[0] / length, up[1] / length)
        if outfit.long_hair:
            back = (head[0] - up[0] * radius * 0.9, head[1] - up[1] * radius * 0.9)
            self.canvas.capsule(head, back, (radius * 1.12, radius * 0.8), outfit.hair)
        self.canvas.ellipse(
            (head[0] + up[0] * radius * 0.18, head[1] + up[1] * radius * 0.18), radius, radius * 1.08, outfit.hair
        )
        if (
            body.facing > -0.5
        ):  # a face is seen unless the person looks away; from the side it lies in front of the hair
            x_forward = 1.0 if body.near == "right" else -1.0
            shift = radius * 0.35 * (1 - abs(body.facing)) * x_forward
            face = (head[0] + shift - up[0] * radius * 0.18, head[1] - up[1] * radius * 0.18)
            self.canvas.ellipse(face, radius * 0.8, radius * 0.9, outfit.skin)
        if outfit.hat is not None:
            crown = (head[0] + up[0] * radius * 0.65, head[1] + up[1] * radius * 0.65)
            self.canvas.ellipse(crown, radius * 1.05, radius * 0.6, outfit.hat)

    def draw(self) -> None:
        near = self.body.near
        far = "left" if near == "right" else "right"
        self.arm(far, 0.8)
        self.leg(far, 0.8)
        if self.outfit.bag is not None:
            spine = self.at("neck")
            hip = self.at("hip")
            middle = (
                (spine[0] * 0.6 + hip[0] * 0.4) - (0.07 if near == "right" else -0.07) * self.size,
                spine[1] * 0.6 + hip[1] * 0.4,
            )
            self.canvas.ellipse(middle, 0.07 * self.size, 0.1 * self.size, self.outfit.bag)
        self.leg(near, 1.0)
        self.torso()
        self.head()
        self.arm(near, 1.0)


def draw_person(
    canvas: Canvas, rng: np.random.Generator, x: float, ground: float, height: float
) -> tuple[float, float, float, float]:
    """A person that is `height` tall on the picture (lying: long), feet or back on `ground`; returns the box."""
    _, pose = sample_pose(rng)
    body = build_body(rng, pose)
    left, top, right, bottom = body.box()
    size = height / max(bottom - top, (right - left) * 0.9, 0.62)
    place = (x - (left + right) / 2 * size, ground - bottom * size, size)
    if rng.random() < 0.5:
        canvas.ellipse((x, ground), (right - left) * size * 0.55, 0.018 * size, shade(pick(rng, WOOD), 0.5))
    _Dresser(canvas, body, sample_outfit(rng), place).draw()
    return place[0] + left * size, place[1] + top * size, place[0] + right * size, ground
