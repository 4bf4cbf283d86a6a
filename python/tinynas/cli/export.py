"""`tinynas export`: a quantised network as a C project, ONNX or TensorFlow Lite."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tinynas.cli.common import ImageOption, PreferOption, make_oracle
from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.errors import InputError


class Format(StrEnum):
    """What `export` writes."""

    c = "c"
    onnx = "onnx"
    tflite = "tflite"


@reports_errors
def export(
    model: Annotated[str, typer.Argument(help="A run's folder, a quantised graph JSON, or an int8 .tflite file.")],
    out: Annotated[Path, typer.Option("--out", help="Folder (c) or file (onnx, tflite); must not exist.")],
    form: Annotated[Format, typer.Option("--format")] = Format.c,
    image: ImageOption = "streamed",
    prefer: PreferOption = "memory",
    core: Annotated[
        str, typer.Option("--core", help="Whose kernels the C project uses; portable C if not given.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Write a quantised network in another form."""
    from tinynas.models import load_model

    if out.exists():
        raise InputError(f"{out} exists: choose another --out")
    graph = load_model(model)
    if not graph.has_data():
        raise InputError(f"{model}: expected a network with weights, got an architecture")
    value: dict[str, Any] = {"format": form.value, "out": str(out), "macs": graph.macs()}
    if form is Format.c:
        from tinynas.export.cproject import export_c

        plan = make_oracle("streaming", image, prefer, core).plan(graph)
        export_c(graph, plan, out)
        value |= {"arena_bytes": plan.arena_bytes, "scratch_bytes": plan.scratch_bytes}
    elif form is Format.onnx:
        from tinynas.export.onnx import to_onnx

        to_onnx(graph, out)
    else:
        from tinynas.tflite import save_tflite

        save_tflite(graph, out)
    emit(as_json, value, table("Exported", ["", ""], [[key, str(entry)] for key, entry in value.items()]))
