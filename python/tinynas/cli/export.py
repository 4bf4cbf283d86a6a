"""`tinynas export`: a quantised network as a C project, ONNX or TensorFlow Lite."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from tinynas.cli.common import ImageOption, NoShrinkOption, OracleRequest, PreferOption, make_oracle, shrink_rows
from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.errors import InputError
from tinynas.search.bits import Bits, model_name
from tinynas.search.run_dir import read_json


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
    prefer: PreferOption = "speed",
    core: Annotated[
        str, typer.Option("--core", help="Whose kernels the C project uses; portable C if not given.")
    ] = "",
    no_shrink: NoShrinkOption = False,
    bits: Annotated[
        Bits | None,
        typer.Option("--bits", help="Of a run's network, made by `train --qat`; if not given the search's."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a quantised network in another form, without its provably constant channels."""
    from tinynas.models import load_model
    from tinynas.shrinking import shrink_model

    if out.exists():
        raise InputError(f"{out} exists: choose another --out")
    graph = load_model(model if bits is None else _in_bits(Path(model), bits))
    if not graph.has_data():
        raise InputError(f"{model}: expected a network with weights, got an architecture")
    shrunk = shrink_model(graph, not no_shrink)
    graph = shrunk.graph
    saved = shrunk.to_dict()
    value: dict[str, Any] = {"format": form.value, "out": str(out), "macs": graph.macs()}
    if form is Format.c:
        from tinynas.export.cproject import export_c

        oracle = make_oracle(OracleRequest("streaming", image, prefer, core))
        plan = oracle.plan(graph)
        export_c(graph, plan, out, core=core, prefer=prefer)
        value |= {"arena_bytes": plan.arena_bytes, "scratch_bytes": plan.scratch_bytes}
        before = oracle.plan(shrunk.original).arena_bytes if shrunk.changed else plan.arena_bytes
        saved |= {"arena_bytes_before": before, "arena_bytes_after": plan.arena_bytes}
    elif form is Format.onnx:
        from tinynas.export.onnx import to_onnx

        to_onnx(graph, out)
    else:
        from tinynas.tflite import save_tflite

        save_tflite(graph, out)
    rows = [[key, str(entry)] for key, entry in value.items()] + shrink_rows(saved)
    emit(as_json, value | {"shrink": saved}, table("Exported", ["", ""], rows))


def _in_bits(run: Path, bits: Bits) -> Path:
    """What `train --qat` made, or the search's own network where it was in these bits."""
    config = run / "config.json"
    file = run / model_name(bits)
    if not file.is_file() and config.is_file() and read_json(config).get("bits") == bits.value:
        return run / "model.json"
    if not file.is_file():
        raise InputError(f"{file}: no such file; `tinynas train --qat {run} --bits {bits.value}` makes it")
    return file
