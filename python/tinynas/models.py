"""Loading whatever a user calls a model: a run's folder, a graph, an architecture, a TensorFlow Lite file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core


def load_model(path: str | os.PathLike[str], classes: int | None = None) -> _core.Graph:
    """The network in `path` as a graph.

    A folder: a run (its quantised model, or else its arch). A .tflite file. A .json file: a graph, a published MCUNet
    architecture, or {"space": ..., "arch": ...}; the last two describe sizes only.
    Raises InputError naming the file.
    """
    path = Path(path)
    if path.is_dir():
        for name in ("model.json", "arch.json"):
            if (path / name).is_file():
                return load_model(path / name, classes)
        raise InputError(f"{path}: expected a run's folder with model.json or arch.json")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".tflite":
        from tinynas.tflite import load_tflite

        return load_tflite(path)
    return _from_json(path, classes)


def _from_json(path: Path, classes: int | None) -> _core.Graph:
    import tinynas._core as _core

    try:
        text = path.read_text(encoding="utf-8")
        value: Any = json.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected a JSON file (or .tflite): {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, got {type(value).__name__}")
    try:
        if "operators" in value:
            return _core.Graph.from_json(text)
        if "arch" in value and "space" in value:
            space_json = dict(value["space"]) | ({"classes": classes} if classes else {})
            space = _core.SearchSpace.from_json(json.dumps(space_json))
            return _core.build_graph(space, _core.Arch.from_json(json.dumps(value["arch"])))
        if "blocks" in value:
            return _core.import_architecture(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    raise InputError(f"{path}: expected a graph (operators), an architecture (blocks) or an arch with its space")
