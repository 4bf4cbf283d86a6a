"""`tinynas boards`: the bundled targets."""

from __future__ import annotations

from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.config import configs_dir
from tinynas.config.target import load_target


@reports_errors
def boards(as_json: JsonOption = False) -> None:
    """The microcontrollers that --target knows."""
    targets = [load_target(path) for path in sorted(configs_dir("targets").glob("*.yaml"))]
    targets.sort(key=lambda target: (target.sram_bytes, target.name))
    rows = [
        [t.name, t.core, f"{t.sram_bytes / 1024:g}k", f"{t.flash_bytes / 1024:g}k", f"{t.clock_hz / 1e6:g} MHz"]
        for t in targets
    ]
    columns = ["board", "core", "SRAM", "Flash", "clock"]
    value = {"boards": [target.model_dump(mode="json") for target in targets]}
    emit(as_json, value, table("Boards (SRAM: the largest contiguous region)", columns, rows))
