"""`tinynas deploy`: a network as firmware, built, checked and run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinynas.cli.common import NoShrinkOption, shrink_rows
from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.errors import InputError


@reports_errors
def deploy(
    model: Annotated[str, typer.Argument(help="A run's folder, a quantised graph's JSON, or an int8 .tflite file.")],
    target: Annotated[
        str, typer.Option("--target", help="host, qemu-m3, qemu-m4, qemu-m7, qemu-m33, qemu-m55, or a board.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the project and the firmware.")],
    run: Annotated[bool, typer.Option("--run", help="Run it: on this machine, or in an emulator of the core.")] = False,
    schedule: Annotated[
        str, typer.Option("--schedule", help="streaming, layerwise, tinyengine or auto.")
    ] = "streaming",
    prefer: Annotated[str, typer.Option("--prefer", help="speed or memory.")] = "speed",
    image: Annotated[
        str | None, typer.Option("--image", help="streamed or stored; by default what the schedule does.")
    ] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", help="Raw tensor, once per input; without it a seeded random one."),
    ] = None,
    pictures: Annotated[
        int | None,
        typer.Option(
            "--pictures", min=1, help="With --run: so many validation pictures of a run's data, or of --data."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="Where --pictures come from, for a model that is no run's folder.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the random input.")] = 1,
    check_layers: Annotated[
        bool,
        typer.Option(
            "--check-layers",
            help="Adds the CRC-32 of every tensor, rows in order in NHWC, from a build of the unshrunk network.",
        ),
    ] = False,
    no_shrink: NoShrinkOption = False,
    as_json: JsonOption = False,
) -> None:
    """Plan, generate, build, check against the linker's map, and run."""
    from tinynas.deploy import DeployOptions
    from tinynas.deploy import deploy as deploy_graph
    from tinynas.deploy.pictures import pictures_of_run
    from tinynas.models import load_model

    if pictures and (not run or inputs):
        raise InputError("--pictures: goes with --run and without --input")
    if data and not pictures:
        raise InputError("--data: goes with --pictures")

    options = DeployOptions(
        schedule=schedule,
        prefer=prefer,
        image=image,
        run=run,
        check_layers=check_layers,
        input_files=list(inputs or []),
        pictures=pictures_of_run(Path(model), pictures, data)[0] if pictures else b"",
        shrink=not no_shrink,
        seed=seed,
    )
    report = deploy_graph(load_model(model), target, out, options)
    emit(as_json, report, *_tables(report))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _tables(report: dict[str, Any]) -> list[Any]:
    layers = [
        [
            "" if layer["index"] is None else str(layer["index"]),
            layer["operator"] or "(folded away)",
            _number(layer["instructions"]),
            layer["crc32"] or "",
        ]
        for layer in report["layers"]
    ]
    sram, flash, predicted = report["sram"], report["flash"], report["predicted"]
    summary = [
        ["arena", f"{sram['arena_bytes']:,} B, predicted {predicted['arena_bytes']:,} B"],
        ["RAM outside the arena", f"{_number(sram['other_bytes'])} B"],
        ["stack", f"{_number(sram['stack_bytes'])} B"],
        ["weights and constants", f"{_number(flash['weights_bytes'])} B"],
        ["code", f"{_number(flash['code_bytes'])} B"],
        ["Flash", f"{_number(flash['total_bytes'])} B, predicted {_number(predicted['flash_bytes'])} B"],
        ["instructions", _number(report["instructions"])],
    ]
    if report["latency_us"]:
        summary.append(["latency, estimated", f"{report['latency_us'] / 1000:.2f} ms"])
    summary += shrink_rows(report["shrink"])
    if report["pictures"]:
        counts = report["pictures"]
        equal = f"{counts['equal_to_host_c']} of {counts['count']}, {counts['same_class_as_host_c']} the same class"
        summary.append(["pictures equal to the host's C code", equal])
    summary += [["warning", text] for text in report["warnings"]]
    return [
        table("Layers", ["layer", "operator", "instructions", "CRC-32"], layers),
        table(f"{report['target']}, schedule {report['schedule']}", ["", ""], summary),
    ]
