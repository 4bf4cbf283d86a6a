"""Stage 1: which (resolution, width) subspace suits the budget, and what to say when nothing fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinynas.config.search import Budget
from tinynas.config.target import OverheadConfig
from tinynas.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    import tinynas._core as _core


def limits_of(budget: Budget, overhead: OverheadConfig | None = None) -> _core.Limits:
    """The budget as the core's limits; `overhead` is what the platform takes of SRAM and Flash."""
    import tinynas._core as _core

    platform = overhead or OverheadConfig()
    return _core.Limits(
        sram_bytes=budget.sram_bytes,
        flash_bytes=budget.flash_bytes,
        macs=budget.macs,
        latency_us=budget.latency_us,
        overhead=_core.Overhead(platform.sram_bytes, platform.flash_bytes),
    )


def explore(
    space: _core.SearchSpace,
    oracle: _core.Oracle,
    limits: _core.Limits,
    samples: int,
    seed: int,
    progress: Callable[[int, int], bool] | None = None,
) -> dict[str, Any]:
    """FLOPs distributions of all subspaces and the winner, as the JSON value of `tinynas space`.

    `subspaces[]`: resolution, width, samples, satisfying (a count), mean_flops, p80_flops, flops (of those that fit,
    ascending); `winner`: resolution and width of the largest mean. FLOPs are multiply-accumulates.
    Raises InfeasibleError with the smallest footprint when no subspace has enough networks that fit.
    """
    import tinynas._core as _core

    result = _core.stage1(space, oracle, limits, samples=samples, seed=seed, progress=progress)
    subspaces = [
        {
            "resolution": s.resolution,
            "width": s.width,
            "samples": s.samples,
            "satisfying": s.satisfying,
            "mean_flops": s.mean_flops,
            "p80_flops": s.p80_flops,
            "min_sram_bytes": s.min_sram_bytes,
            "min_flash_bytes": s.min_flash_bytes,
            "flops": list(s.flops),
        }
        for s in result.subspaces
    ]
    if result.winner is None:
        raise InfeasibleError(why_infeasible(space, oracle, limits))
    winner = result.subspaces[result.winner]
    return {"subspaces": subspaces, "winner": {"resolution": winner.resolution, "width": winner.width}}


def check_latency(space: _core.SearchSpace, oracle: _core.Oracle) -> None:
    """InputError where a latency is asked for and the oracle has no model of it."""
    import tinynas._core as _core

    from tinynas.latency import measured_cores

    smallest = _core.smallest(space, space.resolutions[0], space.widths[0])
    if _core.score(space, oracle, smallest).latency_us == 0:
        raise InputError(
            f"schedule {oracle.name}: no latency model; expected a limit of --macs instead, or, for streaming and "
            f"layerwise, a --target with a core that was measured: {', '.join(measured_cores())}"
        )


def budget_text(limits: _core.Limits) -> str:
    """The limits that are given, as "SRAM 65,536, MACs 12,500,000"."""
    return ", ".join(
        f"{name} {value:,}"
        for name, value in (
            ("SRAM", limits.sram_bytes),
            ("Flash", limits.flash_bytes),
            ("MACs", limits.macs),
            ("latency (us)", limits.latency_us),
        )
        if value is not None
    )


def why_infeasible(space: _core.SearchSpace, oracle: _core.Oracle, limits: _core.Limits) -> str:
    """What was asked for, and the smallest networks that the space can reach."""
    import tinynas._core as _core

    smallest = _core.smallest_footprint(space, oracle, limits)
    rows = []
    for text, footprint in (("least SRAM", smallest.least_sram), ("least Flash", smallest.least_flash)):
        arch = json.loads(footprint.arch.to_json())
        score = footprint.score
        rows.append(
            f"{text}: {score.sram_bytes:,} B SRAM, {score.flash_bytes:,} B Flash, {score.macs:,} MACs "
            f"(resolution {arch['resolution']}, width {arch['width']:g})"
        )
    overhead = limits.overhead
    platform = ""
    if overhead.sram_bytes or overhead.flash_bytes:
        platform = f"; the platform takes {overhead.sram_bytes:,} B SRAM and {overhead.flash_bytes:,} B Flash more"
    reach = "; ".join(rows)
    asked = budget_text(limits)
    return f"no network of the space fits the budget ({asked}). The smallest that it can reach: {reach}{platform}"
