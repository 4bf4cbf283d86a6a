"""Targets (configs/targets/*.yaml): a microcontroller's memories, core and clock, and what a platform adds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tinynas.config.loader import Config, find_config, load_yaml
from tinynas.config.sizes import parse_size
from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_size(value)
    except InputError as error:
        raise ValueError(str(error)) from error


Size = Annotated[int, BeforeValidator(_size), Field(ge=1, le=1 << 40)]
"""Bytes, or a size such as 320k or 1M (1024-based)."""

OverheadSize = Annotated[
    int, BeforeValidator(lambda value: value if value == 0 else _size(value)), Field(ge=0, le=1 << 40)
]

Core = Literal[
    "cortex-m0",
    "cortex-m0plus",
    "cortex-m1",
    "cortex-m23",
    "cortex-m3",
    "cortex-m33",
    "cortex-m35p",
    "cortex-m4",
    "cortex-m52",
    "cortex-m55",
    "cortex-m7",
    "cortex-m85",
]


class OverheadConfig(Config):
    """Bytes that runtime, HAL and stack of one engine need besides the network."""

    sram_bytes: OverheadSize = 0
    flash_bytes: OverheadSize = 0


class TargetConfig(Config):
    """A microcontroller. `sram_bytes` is its largest contiguous region, because the arena is one."""

    name: Annotated[str, Field(min_length=1)]
    core: Core
    sram_bytes: Size
    flash_bytes: Size
    clock_hz: Annotated[float, Field(gt=0, le=1e10)]
    overhead: dict[str, OverheadConfig] = Field(default_factory=dict)
    """By engine: "tinyengine", "tinynas"."""

    def overhead_of(self, engine: str) -> OverheadConfig:
        """The overhead of an engine; none where nothing is known."""
        return self.overhead.get(engine, OverheadConfig())

    def to_core(self) -> _core.Target:
        """The same value for the C++ core."""
        import tinynas._core as _core

        overhead = {engine: _core.Overhead(o.sram_bytes, o.flash_bytes) for engine, o in self.overhead.items()}
        return _core.Target(
            name=self.name,
            core=self.core,
            sram_bytes=self.sram_bytes,
            flash_bytes=self.flash_bytes,
            clock_hz=self.clock_hz,
            overhead=overhead,
        )


def load_target(name: str | os.PathLike[str]) -> TargetConfig:
    """A bundled target by name ("stm32f746"), or a YAML file; InputError names file and key of what is wrong."""
    return load_yaml(find_config("targets", name), TargetConfig)
