"""`tinynas space`: stage 1 alone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tinynas.cli.common import (
    ImageOption,
    MacBudgetOption,
    OracleOption,
    OracleRequest,
    PreferOption,
    ScheduleOption,
    TargetOption,
    count_of,
    make_oracle,
    size_of,
    target_of,
)
from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.cli.profile import ENGINE_OF_SCHEDULE, arena_limit
from tinynas.config.search import Budget
from tinynas.config.space import load_space


@reports_errors
def space(
    name: Annotated[str, typer.Option("--space", help="A space of configs/spaces or a YAML file.")] = "mcunet",
    sram: Annotated[str | None, typer.Option("--sram", help="Limit, such as 320k (1024-based).")] = None,
    flash: Annotated[str | None, typer.Option("--flash", help="Limit, such as 1M (1024-based).")] = None,
    macs: Annotated[str | None, typer.Option("--macs", help="Limit of multiply-accumulates, such as 12.5M.")] = None,
    latency_ms: Annotated[
        float | None,
        typer.Option("--latency", "--latency-ms", min=0.001, help="Limit in ms; our schedules need --target."),
    ] = None,
    schedule: ScheduleOption = "streaming",
    plugin: OracleOption = None,
    target: TargetOption = None,
    prefer: PreferOption = "speed",
    image: ImageOption = "streamed",
    mac_budget: MacBudgetOption = None,
    classes: Annotated[int | None, typer.Option("--classes", help="Instead of the space's own number.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=10, help="Networks per subspace.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Stage 1: FLOPs distributions of all (resolution, width) subspaces under a budget, and the winner."""
    from tinynas.search.explore import check_latency, explore, limits_of

    board = target_of(target)
    budget = budget_of(sram, flash, macs, latency_ms, board)
    request = OracleRequest(
        schedule,
        image,
        prefer,
        core=board.core if board else "",
        plugin=plugin,
        sram_bytes=arena_limit(budget.sram_bytes, board),
        mac_budget=mac_budget,
        clock_hz=board.clock_hz if board else 0.0,
    )
    oracle = make_oracle(request)
    searched = load_space(name, classes)
    if latency_ms is not None:
        check_latency(searched.to_core(), oracle)
    overhead = board.overhead_of(ENGINE_OF_SCHEDULE.get(oracle.name, "tinynas")) if board else None
    result = explore(searched.to_core(), oracle, limits_of(budget, overhead), samples, seed)
    for subspace in result["subspaces"]:
        del subspace["flops"]
    emit(as_json, result, _table(result))


def budget_of(sram: str | None, flash: str | None, macs: str | None, latency_ms: float | None, board: Any) -> Budget:
    """The limits that were given; a board's memories where none was."""
    sram_bytes, flash_bytes = size_of("--sram", sram), size_of("--flash", flash)
    if board is not None:
        sram_bytes = sram_bytes or board.sram_bytes
        flash_bytes = flash_bytes or board.flash_bytes
    latency_us = None if latency_ms is None else 1000 * latency_ms
    count = count_of("--macs", macs)
    return Budget(sram_bytes=sram_bytes, flash_bytes=flash_bytes, macs=count, latency_us=latency_us)


def _table(result: dict[str, Any]) -> Any:
    winner = result["winner"]
    ranked = sorted(result["subspaces"], key=lambda s: -s["mean_flops"])[:12]
    rows = [
        [
            f"w{s['width']:g}-r{s['resolution']}" + (" *" if is_winner(s, winner) else ""),
            f"{s['satisfying']} of {s['samples']}",
            f"{s['mean_flops'] / 1e6:.1f}",
            f"{s['p80_flops'] / 1e6:.1f}",
        ]
        for s in ranked
    ]
    title = (
        f"The 12 subspaces of most FLOPs, of {len(result['subspaces'])} (* the winner; FLOPs are multiply-accumulates)"
    )
    return table(title, ["subspace", "fit", "mean MFLOPs", "80 % below"], rows)


def is_winner(subspace: dict[str, Any], winner: dict[str, Any]) -> bool:
    """Whether this subspace is the winner."""
    return bool(subspace["resolution"] == winner["resolution"] and subspace["width"] == winner["width"])
