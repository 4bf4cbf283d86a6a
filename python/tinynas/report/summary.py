"""A run in a few rows of text: for the terminal and for the head of the HTML report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from tinynas.report.run import Record, Run, percent, read_run

SYNTHETIC_NOTE = "The data are synthetic (drawn by the program): accuracies say nothing about photographs."
_SPLITS = {"test": "test", "val": "validation"}


def accuracies(result: Record) -> list[tuple[str, float]]:
    """(what, percent) of every accuracy in result.json: the found network's first, then the baselines'."""
    rows = [(_name(key), value) for key, value in _numbers(result) if "accurac" in key]
    nested: Record = next((result[key] for key in ("accuracies", "accuracy") if isinstance(result.get(key), dict)), {})
    rows += [(_name(key), value) for key, value in _numbers(nested)]
    baselines = result.get("baselines")
    if isinstance(baselines, list):
        baselines = {str(b.get("name", index)): b for index, b in enumerate(baselines) if isinstance(b, dict)}
    for name, value in (baselines or {}).items():
        if isinstance(value, dict):
            value = next((v for key, v in reversed(_numbers(value)) if "accurac" in key), None)
        if isinstance(value, (int, float)):
            rows.append((f"baseline: {name}", float(value)))
    rows = [(name, percent(value)) for name, value in rows]
    rows.sort(key=lambda row: (row[0].startswith("baseline"), "validation" in row[0], "C code" not in row[0]))
    return rows


def _numbers(record: Record) -> list[tuple[str, float]]:
    return [(k, float(v)) for k, v in record.items() if isinstance(v, (int, float)) and not isinstance(v, bool)]


def _name(key: str) -> str:
    """`accuracy_int8_c_test` -> `int8, C code, test`."""
    words = [word for word in key.split("_") if word != "accuracy"]
    split = _SPLITS[words.pop()] if words and words[-1] in _SPLITS else ""
    code = "C code" if words and words[-1] == "c" else ""
    words = words[:-1] if code else words
    return ", ".join(part for part in (" ".join(words), code, split) if part) or "accuracy"


def summary_rows(run: Run) -> list[tuple[str, str]]:
    """(name, value) pairs; what the run does not have yet is left out."""
    rows: list[tuple[str, str]] = []
    winner = run.stage1.get("winner")
    if isinstance(winner, dict):
        rows.append(("subspace", f"w{winner.get('width', 0):g}-r{winner.get('resolution')}"))
    rows += [(f"accuracy, {name}", f"{value:.2f} %") for name, value in accuracies(run.result)]
    for cost in run.costs[:1]:
        rows += [
            ("MACs", f"{cost.get('macs', 0):,}"),
            ("parameters", f"{cost.get('params', 0):,}"),
            ("SRAM", _size(cost.get("sram_bytes"), run.sram_limit) + f", schedule {cost.get('schedule')}"),
            ("SRAM peak at", str(cost.get("peak_operator"))),
            ("Flash", _size(cost.get("flash_bytes"), run.flash_limit)),
        ]
    for cost in run.costs[1:]:
        rows.append((f"SRAM, schedule {cost.get('schedule')}", _size(cost.get("sram_bytes"), None)))
    if run.history:
        measured = sum(c.measured for c in run.history)
        rows.append(("candidates", f"{len(run.history):,}, {measured:,} of them measured"))
    predictor = run.result.get("predictor")
    if isinstance(predictor, dict) and isinstance(predictor.get("kendall_tau"), (int, float)):
        rows.append(("predictor, Kendall's tau", f"{predictor['kendall_tau']:.3f} of {predictor.get('pairs')} pairs"))
        if isinstance(predictor.get("rmse"), (int, float)):
            rows.append(("predictor, RMSE on held-out subnets", f"{100 * predictor['rmse']:.2f} points of accuracy"))
    if volumes := run.front.get("hypervolume"):
        rows.append(("Pareto front", f"{len(run.front['networks'])} networks, hypervolume {volumes[-1]:.4f}"))
    timings = run.result.get("seconds", run.result.get("timings"))
    if isinstance(timings, dict):
        rows += [(f"time, {name.replace('_', ' ')}", f"{value:.1f} s") for name, value in _numbers(timings)]
    return rows


def _size(value: Any, limit: float | None) -> str:
    if not isinstance(value, (int, float)):
        return "-"
    text = f"{value:,.0f} B ({value / 1024:.1f} KiB)"
    return text if limit is None else f"{text} of {limit / 1024:g} KiB"


def summary_table(run_dir: Path) -> Table:
    """The run's figures as a table for the terminal; KiB are 1024 bytes."""
    run = read_run(run_dir)
    caption = SYNTHETIC_NOTE if run.synthetic else None
    table = Table(title=f"Run {run.name}", title_justify="left", title_style="bold", caption=caption, show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in summary_rows(run):
        table.add_row(name, value)
    return table
