"""Training recipes: which subnets every step trains, at what rate, and what happens where a phase begins.

`sandwich` is one phase (Yu et al., BigNAS, 2020; Wang et al., AlphaNet, 2021), or two: the largest network alone,
channel sorting, then the four subnets per batch. `ofa` is progressive shrinking (Cai et al., Once-for-All, 2020): the
largest network first, then elastic kernels, depths, expansions and at last widths, all taught by it. `mcunet` is the
largest network, channel sorting, then four subnets per batch (Lin et al., MCUNet, 2020).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from tinynas.config.space import SpaceConfig, StageConfig
from tinynas.config.train import TrainConfig
from tinynas.errors import InputError
from tinynas.train.native import supernet_module

Subspace = tuple[int, float]
"""(resolution, width multiplier)."""
Subnets = Literal["largest", "sandwich", "random"]

_ALL = 99
"""More choices than any stage has."""


@dataclass(frozen=True)
class Part:
    """A phase before it has been laid out in steps: its share of the training, and what is elastic in it."""

    name: str
    share: float
    """In proportion to the other phases: the papers' epochs."""
    subnets: Subnets
    count: int = 0
    """Random subnets per step."""
    rate: float = 1.0
    """Of the config's learning rate."""
    kernels: int = 1
    """How many choices, from the largest down, its subnets have."""
    depths: int = 1
    expansions: int = 1
    widths: int = 1
    sort: Literal["", "mid", "all"] = ""
    """Channels sorted by importance when it begins."""
    taught: bool = False
    """By the network that stood at the end of the first phase."""


_OFA = (
    Part("largest", 180, "largest"),
    Part("kernel", 125, "random", 1, 0.375, kernels=_ALL, taught=True),
    Part("depth 1", 25, "random", 2, 0.03, kernels=_ALL, depths=2, taught=True),
    Part("depth 2", 125, "random", 2, 0.094, kernels=_ALL, depths=_ALL, taught=True),
    Part("expansion 1", 25, "random", 4, 0.03, kernels=_ALL, depths=_ALL, expansions=2, sort="mid", taught=True),
    Part("expansion 2", 125, "random", 4, 0.094, kernels=_ALL, depths=_ALL, expansions=_ALL, sort="mid", taught=True),
    Part("width", 125, "random", 4, 0.094, _ALL, _ALL, _ALL, _ALL, sort="all", taught=True),
)
_MCUNET = (
    Part("largest", 150, "largest"),
    Part("subnets", 300, "random", 4, 1.0, _ALL, _ALL, _ALL, _ALL, sort="all"),
)


@dataclass(frozen=True)
class Phase:
    """A part in steps: `steps` from step `first` on."""

    part: Part
    first: int
    steps: int
    space: str
    """JSON of the space that its subnets are drawn from."""


class Recipe:
    """The phases of one training, laid out over its steps; everything follows from the step alone."""

    def __init__(self, space: SpaceConfig, subspace: Subspace | None, config: TrainConfig) -> None:
        self._config = config
        self._resolution: int | None = subspace[0] if subspace else None
        self._width: float | None = subspace[1] if subspace else None
        self._parts = _parts(space, config, elastic_width=subspace is None and len(space.widths) > 1)
        self._spaces = [_restricted(space, part).model_dump_json() for part in self._parts]

    def phases(self, total_steps: int) -> list[Phase]:
        """InputError where there are fewer steps than phases."""
        if total_steps < len(self._parts):
            raise InputError(f"recipe {self._config.recipe}: expected at least {len(self._parts)} steps, one per phase")
        shares = [part.share for part in self._parts]
        ends = [round(total_steps * sum(shares[: i + 1]) / sum(shares)) for i in range(len(shares))]
        result: list[Phase] = []
        for index, (part, space) in enumerate(zip(self._parts, self._spaces, strict=True)):
            first = result[-1].first + result[-1].steps if result else 0
            left = len(shares) - index - 1  # every phase after this one needs a step
            end = min(max(ends[index], first + 1), total_steps - left)
            result.append(Phase(part, first, end - first, space))
        return result

    def archs(self, phase: Phase, place: tuple[int, int, int]) -> list[str]:
        """JSON of a step's subnets, by (seed, epoch, step); the first learns from the labels."""
        native = supernet_module()
        drawn: list[str] = native.sandwich_archs(phase.space, self._resolution, self._width, phase.part.count, place)
        return {"largest": drawn[:1], "sandwich": drawn, "random": drawn[2:]}[phase.part.subnets]

    def largest(self, resolution: int) -> str:
        """JSON of the largest subnet."""
        archs: list[str] = supernet_module().sandwich_archs(self._spaces[0], resolution, self._width, 0, (0, 0, 0))
        return archs[0]


def _parts(space: SpaceConfig, config: TrainConfig, elastic_width: bool) -> tuple[Part, ...]:
    if config.recipe == "sandwich":
        first = config.largest_first
        sandwich = Part("sandwich", 1 - first, "sandwich", config.random_subnets, 1.0, _ALL, _ALL, _ALL, _ALL)
        return (Part("largest", first, "largest"), replace(sandwich, sort="all")) if first > 0 else (sandwich,)
    if config.recipe == "mcunet":
        return _MCUNET
    return _OFA if elastic_width else _OFA[:-1]


def _restricted(space: SpaceConfig, part: Part) -> SpaceConfig:
    """The space with only the largest choices of every dimension, as many as the part has."""

    def cut(stage: StageConfig) -> StageConfig:
        return stage.model_copy(
            update={
                "kernels": stage.kernels[-part.kernels :],
                "depths": stage.depths[-part.depths :],
                "expansions": stage.expansions[-part.expansions :],
            }
        )

    return space.model_copy(
        update={"widths": space.widths[-part.widths :], "stages": tuple(cut(stage) for stage in space.stages)}
    )


def phase_at(phases: list[Phase], step: int) -> Phase:
    """The phase that a step belongs to."""
    return next(phase for phase in reversed(phases) if phase.first <= step)


def learning_rate(config: TrainConfig, step: int, total_steps: int) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warmup = config.warmup * total_steps
    if step < warmup:
        return config.learning_rate * (step + 1) / (math.floor(warmup) + 1)
    progress = (step - warmup) / max(1.0, total_steps - warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def phase_rate(config: TrainConfig, phase: Phase, step: int) -> float:
    """Every phase warms up and cools down by itself."""
    return phase.part.rate * learning_rate(config, step - phase.first, phase.steps)


class Teacher:
    """A frozen copy of the largest network, which normalises with each batch's own statistics."""

    def __init__(self, recipe: Recipe, net: Any, device: str) -> None:
        self._recipe = recipe
        self._net = net
        net.to(device)

    def __call__(self, pictures: Any) -> Any:
        """Logits [n, classes] of pictures [n, R, R, C] uint8."""
        import torch

        x = (pictures.permute(0, 3, 1, 2).float() - 128) / 128
        with torch.no_grad():
            return self._net.forward(x, self._recipe.largest(pictures.shape[1]))


def resolution_of(arch: str) -> int:
    """Of an arch's JSON text."""
    return int(json.loads(arch)["resolution"])
