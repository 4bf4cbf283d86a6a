"""Options and conversions that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.config import parse_count, parse_size
from tinynas.config.target import TargetConfig, load_target
from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core

ScheduleOption = Annotated[
    str,
    typer.Option(
        "--schedule",
        help="streaming, streaming+recompute, layerwise, auto (ours); tinyengine, patch, tflm (accounts of others).",
    ),
]
OracleOption = Annotated[
    Path | None,
    typer.Option("--oracle", help="A shared library that says what a network costs (src/oracle/plugin.h)."),
]
TargetOption = Annotated[
    str | None, typer.Option("--target", help="A board of configs/targets (tinynas boards) or a YAML file.")
]
ImageOption = Annotated[
    str, typer.Option("--image", help="streamed: the camera pushes rows; stored: the image lies in the arena.")
]
PreferOption = Annotated[str, typer.Option("--prefer", help="speed: rings of rows; memory: of single pixels too.")]
MacBudgetOption = Annotated[
    float | None,
    typer.Option(
        "--mac-budget",
        min=0,
        max=1000,
        help="Extra MACs in percent that patch and streaming+recompute (25 unless given) and auto (0) may spend.",
    ),
]
NoShrinkOption = Annotated[
    bool, typer.Option("--no-shrink", help="Keep channels that are provably constant; outputs are the same.")
]


def shrink_rows(shrunk: dict[str, Any]) -> list[list[str]]:
    """Rows of a summary that say what shrinking saved; none where it found nothing."""
    if not shrunk["channels_removed"]:
        return []
    rows = [["constant channels left out", f"{shrunk['channels_removed']:,}"]]
    for title, key in (("MACs", "macs"), ("weights", "weights"), ("arena, bytes", "arena_bytes")):
        if f"{key}_before" in shrunk:
            rows.append([f"  {title}", f"{shrunk[f'{key}_after']:,} instead of {shrunk[f'{key}_before']:,}"])
    return rows


def target_of(name: str | None) -> TargetConfig | None:
    """The target that was named, if any."""
    return load_target(name) if name else None


def size_of(option: str, text: str | None) -> int | None:
    """Bytes of an optional size option; InputError names the option."""
    return _parsed(option, text, parse_size)


def count_of(option: str, text: str | None) -> int | None:
    """Number of an optional option that counts, such as --macs 12.5M; InputError names the option."""
    return _parsed(option, text, parse_count)


def _parsed(option: str, text: str | None, parse: Callable[[str], int]) -> int | None:
    if text is None:
        return None
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


@dataclass(frozen=True)
class OracleRequest:
    """What the options ask for of an oracle."""

    schedule: str = "streaming"
    image: str = "streamed"
    prefer: str = "speed"
    core: str = ""
    plugin: Path | None = None
    """A shared library that is the oracle, instead of the schedule's."""
    sram_bytes: int = 0
    """What there is for the arena; 0: any."""
    mac_budget: float | None = None
    clock_hz: float = 0.0
    """Of the core: costs then have a latency, where it was measured."""


def make_oracle(request: OracleRequest) -> _core.Oracle:
    """The oracle asked for, the plugin before the schedule; InputError for an unknown word."""
    import tinynas._core as _core
    from tinynas.latency import kernels_of
    from tinynas.oracle import check_words, schedule_options

    if request.plugin is not None:
        from tinynas.plugin import PluginOracle

        return PluginOracle(request.plugin)
    check_words(request.prefer, request.image)
    options = schedule_options(
        request.schedule,
        request.sram_bytes,
        image_streamed=request.image == "streamed",
        prefer=getattr(_core.Prefer, request.prefer),
        mac_budget_percent=request.mac_budget,
        **kernels_of(request.core, request.clock_hz),
    )
    return _core.make_oracle(request.schedule, options)
