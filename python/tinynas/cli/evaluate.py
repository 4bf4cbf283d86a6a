"""`tinynas eval`: the accuracy of a finished network on the user's copy of the data."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from tinynas.cli.common import OracleRequest, make_oracle
from tinynas.cli.output import JsonOption, emit, log, reports_errors, table
from tinynas.cli.search import DataOption, HoldOutOption
from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core


class Engine(StrEnum):
    """What computes the outputs."""

    c = "c"
    reference = "reference"
    float = "float"


@reports_errors
def evaluate(
    model: Annotated[Path, typer.Argument(help="A run's or a published model's folder, or an int8 model file.")],
    data: DataOption = "scenes",
    hold_out: HoldOutOption = None,
    engine: Annotated[Engine, typer.Option("--engine", help="c: generated and compiled; reference; float.")] = Engine.c,
    split: Annotated[str, typer.Option("--split", help="test or val.")] = "test",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the splits, where the data has none.")] = 0,
    cache: Annotated[Path, typer.Option("--cache", help="Where decoded pictures are kept.")] = Path("runs/.cache"),
    as_json: JsonOption = False,
) -> None:
    """Measure the accuracy of a finished network."""
    from tinynas.search.finish import as_float, as_int8, pictures_of, resolution_of
    from tinynas.search.inputs import data_options, read_data

    if split not in ("test", "val"):
        raise InputError(f"--split: expected test or val, got {split!r}")
    graph = _graph_of(model, engine)
    data_set = read_data(data, data_options(cache, seed, hold_out or ()), log)
    pictures, labels = pictures_of(getattr(data_set, split), resolution_of(graph))
    inputs = as_float(pictures) if engine is Engine.float else as_int8(pictures)
    outputs = _run(graph, inputs, engine)
    accuracy = 100.0 * float(np.mean(outputs.reshape(len(labels), -1).argmax(axis=1) == labels))
    value: dict[str, Any] = {
        "model": str(model),
        "data": data_set.name,
        "synthetic": data_set.synthetic,
        "split": split,
        "images": len(labels),
        "engine": engine.value,
        "accuracy": round(accuracy, 4),
    }
    emit(as_json, value, table("Accuracy in percent", ["", ""], [[key, str(entry)] for key, entry in value.items()]))


def _graph_of(model: Path, engine: Engine) -> _core.Graph:
    from tinynas.models import load_model

    path = model / "float_model.json" if engine is Engine.float and model.is_dir() else model
    graph = load_model(path)
    if not graph.has_data():
        raise InputError(f"{path}: expected a network with weights, got an architecture")
    is_float = graph.tensors[graph.inputs[0]].dtype == "f32"
    if is_float != (engine is Engine.float):
        expected = "a float network" if engine is Engine.float else "an int8 network"
        raise InputError(f"{path}: --engine {engine.value} expects {expected}")
    return graph


def _run(graph: _core.Graph, inputs: Any, engine: Engine) -> Any:
    import tinynas._core as _core

    if engine is not Engine.c:
        return np.asarray(_core.run_batch(graph, [inputs])[0])
    from tinynas.export.cproject import export_c, run_host

    plan = make_oracle(OracleRequest()).plan(graph)
    with TemporaryDirectory() as folder:
        return run_host(export_c(graph, plan, Path(folder) / "c"), [inputs]).outputs[0]
