"""Search spaces (configs/spaces/*.yaml): the frozen model of a space file, and its hand-over to the C++ core."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from tinynas.config.loader import Config, find_config, load_yaml
from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core

MAX_CHANNELS = 8192
"""After the width multiplier; as in src/space/validate.h."""


def _ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(a >= b for a, b in pairwise(values)):
        raise ValueError("expected ascending choices without duplicates")
    return values


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("expected an odd kernel")
    return value


Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Kernel = Annotated[int, Field(ge=1, le=31), AfterValidator(_odd)]
Stride = Annotated[int, Field(ge=1, le=4)]
Expansion = Annotated[int, Field(ge=1, le=16)]
Depth = Annotated[int, Field(ge=1, le=64)]
Resolution = Annotated[int, Field(ge=1, le=1024)]
Width = Annotated[float, Field(gt=0, le=16, allow_inf_nan=False)]
Ascending = AfterValidator(_ascending)


class StemConfig(Config):
    """The first convolution."""

    channels: Channels
    kernel: Kernel = 3
    stride: Stride = 2


class FirstBlockConfig(Config):
    """The block after the stem: depthwise and pointwise when the expansion is 1."""

    channels: Channels
    kernel: Kernel = 3
    expansion: Expansion = 1
    stride: Stride = 1


class StageConfig(Config):
    """Inverted bottlenecks with one output width; the first has the stage's stride."""

    channels: Channels
    stride: Stride = 1
    depths: Annotated[tuple[Depth, ...], Field(min_length=1), Ascending]
    kernels: Annotated[tuple[Kernel, ...], Field(min_length=1), Ascending]
    expansions: Annotated[tuple[Expansion, ...], Field(min_length=1), Ascending]


class SpaceConfig(Config):
    """A search space. Channels are before the width multiplier."""

    name: Annotated[str, Field(min_length=1)]
    input_channels: Channels = 3
    classes: Annotated[int, Field(ge=1, le=1 << 20)] = 1000
    divisor: Annotated[int, Field(ge=1, le=256)] = 8
    """Channels are rounded to multiples of it, never below 90 %."""
    resolutions: Annotated[tuple[Resolution, ...], Field(min_length=1), Ascending]
    widths: Annotated[tuple[Width, ...], Field(min_length=1), Ascending]
    stem: StemConfig
    first_block: FirstBlockConfig
    stages: Annotated[tuple[StageConfig, ...], Field(min_length=1, max_length=64)]
    feature_mix: Annotated[int, Field(ge=0, le=MAX_CHANNELS)] = 0
    """Channels of a 1x1 convolution before the pool; 0: none."""

    @model_validator(mode="after")
    def _within_channels(self) -> Self:
        widest = max(
            self.stem.channels, self.first_block.channels, self.feature_mix, *(s.channels for s in self.stages)
        )
        if widest * max(1.0, self.widths[-1]) > MAX_CHANNELS:
            raise ValueError(f"expected at most {MAX_CHANNELS} channels, got {widest} times {self.widths[-1]:g}")
        return self

    def with_classes(self, classes: int) -> SpaceConfig:
        """The same space with another number of classes."""
        if not 1 <= classes <= 1 << 20:
            raise InputError(f"classes: expected 1 to {1 << 20}, got {classes}")
        return self.model_copy(update={"classes": classes})

    def up_to_resolution(self, resolution: int) -> SpaceConfig:
        """The same space without resolutions above what a data set offers. InputError when none is left."""
        kept = tuple(r for r in self.resolutions if r <= resolution)
        if not kept:
            raise InputError(
                f"space {self.name}: expected a resolution of at most {resolution} pixels (all that the data offers), "
                f"got {', '.join(map(str, self.resolutions))}"
            )
        return self.model_copy(update={"resolutions": kept})

    def subspace(self, resolution: int, width: float) -> SpaceConfig:
        """The space of one resolution and one width multiplier."""
        if resolution not in self.resolutions or width not in self.widths:
            raise InputError(f"space {self.name}: no subspace of resolution {resolution} and width {width:g}")
        return self.model_copy(update={"resolutions": (resolution,), "widths": (width,)})

    def widens(self, other: SpaceConfig) -> bool:
        """Whether the two differ in nothing but their widths and names, and the other's widest is not wider."""
        apart = {"name", "widths"}
        same = self.model_dump(exclude=apart) == other.model_dump(exclude=apart)
        return same and self.widths[-1] >= other.widths[-1]

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the C++ core reads and writes them."""
        return self.model_dump(mode="json")

    def to_core(self) -> _core.SearchSpace:
        """The C++ core's space of the same content."""
        import tinynas._core as _core

        return _core.SearchSpace.from_json(self.model_dump_json())


def load_space(name_or_path: str | os.PathLike[str], classes: int | None = None) -> SpaceConfig:
    """A bundled space by name ("mcunet", "cifar", ...) or a YAML file, with `classes` replaced when given.

    Raises InputError naming the file and the key.
    """
    space = load_yaml(find_config("spaces", name_or_path), SpaceConfig)
    return space if classes is None else space.with_classes(classes)
