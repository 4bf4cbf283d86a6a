"""The folder of one run: atomic files, an append-only history, and stages that are done once.

Every file appears whole or not at all (written beside, then renamed), so a kill at any moment leaves a run that
`--resume` continues.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tinynas.errors import InputError


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes `content` to `path` so that a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    data = content.encode() if isinstance(content, str) else content
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in `path`; InputError names the file when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: expected JSON: {error}") from error


class JsonLines:
    """An append-only file of JSON values, one a line. A last line cut off by a kill is dropped when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: list[Any] = []
        if path.exists():
            self._recover()

    def _recover(self) -> None:
        good = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            try:
                value = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            self.values.append(value)
            good += len(line)
        if good != self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.truncate(good)

    def append(self, *values: Any) -> None:
        """Adds values and flushes them to the disk."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(value) + "\n" for value in values)
            file.flush()
            os.fsync(file.fileno())
        self.values.extend(values)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


class RunDir:
    """`runs/<name>/`: the resolved config and every stage's result."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, config: dict[str, Any], resume: bool) -> None:
        """Makes the folder, or checks that it holds a run of the same config.

        Raises InputError when the run exists and `resume` is off, or when its config differs.
        """
        file = self.path / "config.json"
        if not file.exists():
            write_json(file, config)
            return
        if not resume:
            raise InputError(f"{self.path} exists: --resume continues it, --name gives the new run another folder")
        difference = first_difference(read_json(file), config)
        if difference:
            raise InputError(f"{self.path} was started with other settings ({difference}): choose another --name")

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The JSON value of stage file `name`, made by `make` if it is not there yet."""
        file = self.path / name
        if not file.exists():
            write_json(file, make())
        return read_json(file)


def first_difference(old: Any, new: Any, place: str = "") -> str:
    """Where two JSON values differ, as "key: old -> new"; empty when they are equal.

    Keys that only the new one has are settings that did not exist when the old one was written.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            found = first_difference(old.get(key), new.get(key), f"{place}.{key}" if place else str(key))
            if found:
                return found
        return ""
    return "" if old == new else f"{place}: {old!r} -> {new!r}"
