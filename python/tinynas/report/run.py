"""What a run's folder holds, read with tolerance: a report of a half-finished run shows the half that is there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tinynas.errors import InputError

Record = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """One line of the history. `accuracy` in percent; `measured` is false where a predictor gave it."""

    generation: int
    accuracy: float
    measured: bool
    sram_bytes: float | None = None
    flash_bytes: float | None = None
    macs: float | None = None


@dataclass(frozen=True)
class Run:
    """The parts of a run; what is missing is empty."""

    path: Path
    config: Record = field(default_factory=dict)
    stage1: Record = field(default_factory=dict)
    history: tuple[Candidate, ...] = ()
    arch: Record = field(default_factory=dict)
    costs: tuple[Record, ...] = ()
    """Profiles (`tinynas profile --json`) of the found network, one per schedule."""
    result: Record = field(default_factory=dict)
    front: Record = field(default_factory=dict)
    """Pareto mode: objectives, reference, networks, hypervolume after each measurement."""
    unreadable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def synthetic(self) -> bool:
        return bool(self.result.get("synthetic") or self.config.get("synthetic"))

    @property
    def sram_limit(self) -> float | None:
        """Bytes of SRAM that the user allowed, wherever the config keeps them."""
        return find_number(self.config, ("sram_bytes", "sram"))

    @property
    def flash_limit(self) -> float | None:
        return find_number(self.config, ("flash_bytes", "flash"))


def read_run(path: Path) -> Run:
    """Raises InputError when `path` is no folder; damaged files are named in `unreadable`."""
    if not path.is_dir():
        raise InputError(f"{path}: expected a run's folder, got {'a file' if path.exists() else 'nothing there'}")
    problems: list[str] = []
    config = _record(path / "config.yaml", problems) or _record(path / "config.json", problems)
    costs = [
        cost for file in sorted(path.glob("cost*.json")) for cost in _records(file, problems) if cost.get("layers")
    ]
    return Run(
        path=path,
        config=config,
        stage1=_record(path / "stage1.json", problems),
        history=tuple(_history(path / "history.jsonl", problems)),
        arch=_record(path / "arch.json", problems),
        costs=tuple(costs),
        result=_record(path / "result.json", problems),
        front=_record(path / "front.json", problems),
        unreadable=tuple(problems),
    )


def find_number(record: Record, keys: Iterable[str]) -> float | None:
    """The first number under one of the keys, in the record or in the records inside it."""
    keys = tuple(keys)
    for key in keys:
        if isinstance(value := record.get(key), (int, float)) and not isinstance(value, bool):
            return float(value)
    for value in record.values():
        if isinstance(value, dict) and (found := find_number(value, keys)) is not None:
            return found
    return None


def percent(value: float) -> float:
    """Accuracies are kept as fractions or in percent; shown in percent."""
    return 100.0 * value if 0.0 <= value <= 1.0 else value


def candidates(lines: Iterable[Record]) -> list[Candidate]:
    """Lines {generation, accuracy, predicted, sram_bytes, ...}; `predicted` is a flag, or the prediction itself."""
    found: list[Candidate] = []
    for line in lines:
        accuracy, predicted = line.get("accuracy"), line.get("predicted")
        measured = isinstance(accuracy, (int, float)) and predicted is not True
        value = accuracy if isinstance(accuracy, (int, float)) else predicted
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            continue
        sizes = {
            key: line[key] for key in ("sram_bytes", "flash_bytes", "macs") if isinstance(line.get(key), (int, float))
        }
        generation = line.get("generation")
        found.append(
            Candidate(int(generation) if isinstance(generation, int) else 0, percent(value), measured, **sizes)
        )
    return found


def _record(file: Path, problems: list[str]) -> Record:
    records = _records(file, problems)
    return records[0] if records else {}


def _records(file: Path, problems: list[str]) -> list[Record]:
    if not file.is_file():
        return []
    try:
        text = file.read_text(encoding="utf-8")
        content = yaml.safe_load(text) if file.suffix == ".yaml" else json.loads(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        problems.append(f"{file.name}: {error}")
        return []
    return [item for item in (content if isinstance(content, list) else [content]) if isinstance(item, dict)]


def _history(file: Path, problems: list[str]) -> list[Candidate]:
    if not file.is_file():
        return []
    lines: list[Record] = []
    for number, text in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            line = json.loads(text)
        except ValueError:
            problems.append(f"{file.name}: line {number} is cut off")
            continue
        if isinstance(line, dict):
            lines.append(line)
    return candidates(lines)
