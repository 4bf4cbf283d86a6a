"""`tinynas boards`: the bundled targets, and which of them a network fits."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tinynas.cli.common import ImageOption, MacBudgetOption, OracleRequest, PreferOption, ScheduleOption, make_oracle
from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.cli.profile import arena_limit, profile_report
from tinynas.config import configs_dir
from tinynas.config.target import TargetConfig, load_target


@reports_errors
def boards(
    model: Annotated[
        str | None, typer.Argument(help="A run's folder, an architecture or graph JSON, or a .tflite file to try.")
    ] = None,
    schedule: ScheduleOption = "streaming",
    image: ImageOption = "streamed",
    prefer: PreferOption = "speed",
    mac_budget: MacBudgetOption = None,
    as_json: JsonOption = False,
) -> None:
    """The microcontrollers that --target knows; with a model what it needs on each, and whether it fits."""
    targets = [load_target(path) for path in sorted(configs_dir("targets").glob("*.yaml"))]
    targets.sort(key=lambda target: (target.sram_bytes, target.name))
    columns = ["board", "core", "SRAM", "Flash", "clock"]
    rows = [
        [t.name, t.core, f"{t.sram_bytes / 1024:g}k", f"{t.flash_bytes / 1024:g}k", f"{t.clock_hz / 1e6:g} MHz"]
        for t in targets
    ]
    entries = [target.model_dump(mode="json") for target in targets]
    title = "Boards (SRAM: the largest contiguous region)"
    if model is not None:
        requests = [
            OracleRequest(schedule, image, prefer, t.core, None, arena_limit(None, t), mac_budget) for t in targets
        ]
        needs = _needs(model, requests, targets)
        entries = [entry | {"model": need} for entry, need in zip(entries, needs, strict=True)]
        columns += ["needs SRAM B", "Flash B", "MACs", "fits"]
        for row, need in zip(rows, needs, strict=True):
            row += [f"{need[key]:,}" for key in ("sram_bytes", "flash_bytes", "macs")]
            row.append("yes" if need["fits"] else "no")
        title += f"; {model} by {schedule}, without the platform's overhead"
    emit(as_json, {"boards": entries}, table(title, columns, rows))


def _needs(model: str, requests: list[OracleRequest], targets: list[TargetConfig]) -> list[dict[str, Any]]:
    """What the network costs on each target, as `profile` says it."""
    from tinynas.models import load_model

    graph = load_model(model)
    reports = [
        profile_report(graph, make_oracle(request), target) for request, target in zip(requests, targets, strict=True)
    ]
    keys = ("schedule", "chosen", "sram_bytes", "flash_bytes", "macs", "fits")
    return [{key: report[key] for key in keys} for report in reports]
