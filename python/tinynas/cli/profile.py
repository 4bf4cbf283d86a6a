"""`tinynas profile`: what the oracle says of one network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.common import (
    ImageOption,
    MacBudgetOption,
    OracleOption,
    OracleRequest,
    PreferOption,
    ScheduleOption,
    TargetOption,
    make_oracle,
    size_of,
    target_of,
)
from tinynas.cli.output import JsonOption, emit, reports_errors, table
from tinynas.config import format_size
from tinynas.config.target import TargetConfig
from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core

ENGINE_OF_SCHEDULE = {"tinyengine": "tinyengine", "patch": "tinyengine"}
"""Engine whose platform overhead a schedule pays on a target; ours unless named here."""


@reports_errors
def profile(
    model: Annotated[str, typer.Argument(help="A run's folder, an architecture or graph JSON, or a .tflite file.")],
    schedule: ScheduleOption = "streaming",
    plugin: OracleOption = None,
    target: TargetOption = None,
    image: ImageOption = "streamed",
    prefer: PreferOption = "speed",
    sram: Annotated[
        str | None, typer.Option("--sram", help="For auto and streaming+recompute: what there is, such as 64k.")
    ] = None,
    mac_budget: MacBudgetOption = None,
    classes: Annotated[
        int | None, typer.Option("--classes", help="Classes of an arch, instead of its space's.")
    ] = None,
    bits: Annotated[
        int,
        typer.Option("--bits", help="Of all activations and weights of an architecture: 8, or 4 as papers count."),
    ] = 8,
    as_json: JsonOption = False,
) -> None:
    """Memory, Flash and work of a network under a schedule."""
    from tinynas.models import load_model

    board = target_of(target)
    request = OracleRequest(
        schedule,
        image,
        prefer,
        board.core if board else "",
        plugin,
        arena_limit(size_of("--sram", sram), board),
        mac_budget,
        board.clock_hz if board else 0.0,
    )
    oracle = make_oracle(request)
    report = profile_report(_in_bits(load_model(model, classes), bits), oracle, board)
    emit(as_json, report, *_tables(report))


def _in_bits(graph: _core.Graph, bits: int) -> _core.Graph:
    import tinynas._core as _core

    if bits not in (4, 8):
        raise InputError(f"--bits: expected 8 or 4, got {bits}")
    return graph if bits == 8 else _core.in_four_bits(graph)


def profile_report(graph: _core.Graph, oracle: _core.Oracle, target: TargetConfig | None) -> dict[str, Any]:
    """The JSON value of `profile`, sizes in bytes.

    `sram_bytes` and `flash_bytes` are without the platform's overhead, `fits` counts it; `flash_bytes` are constants
    as the kernels of the oracle's core have them packed. `instructions` and `latency_us` are null without a model.
    """
    cost = oracle.cost(graph)
    names = [operator.name or operator.kind for operator in graph.operators]
    kinds = [operator.kind for operator in graph.operators]
    report: dict[str, Any] = {
        "name": graph.name,
        "schedule": oracle.name,
        "chosen": cost.chosen or None,
        "target": target.name if target else None,
        "macs": cost.macs,
        "params": cost.params,
        "sram_bytes": cost.sram_bytes,
        "activation_bytes": cost.activation_bytes,
        "scratch_bytes": cost.scratch_bytes,
        "act_bytes": cost.act_bytes,
        "flash_bytes": cost.flash_bytes,
        "lower_bound_bytes": cost.lower_bound_bytes or None,
        "instructions": round(cost.instructions) or None,
        "latency_us": cost.latency_us or None,
        "peak_operator": names[cost.peak_operator] if cost.peak_operator >= 0 else None,
        "fits": None,
        "layers": [
            {
                "index": layer.op,
                "name": names[layer.op],
                "operator": kinds[layer.op],
                "macs": layer.macs,
                "sram_bytes": layer.sram_bytes,
                "flash_bytes": layer.flash_bytes,
                "instructions": round(layer.instructions) or None,
                "latency_us": layer.latency_us or None,
            }
            for layer in cost.layers
        ],
    }
    if target:
        overhead = target.overhead_of(ENGINE_OF_SCHEDULE.get(oracle.name, "tinynas"))
        report["overhead"] = {"sram_bytes": overhead.sram_bytes, "flash_bytes": overhead.flash_bytes}
        report["fits"] = (
            cost.sram_bytes + overhead.sram_bytes <= target.sram_bytes
            and cost.flash_bytes + overhead.flash_bytes <= target.flash_bytes
        )
    return report


def arena_limit(sram_bytes: int | None, target: TargetConfig | None) -> int:
    """Bytes for the arena of our engine: the limit, or the target's SRAM, less the platform's overhead; 0: no limit."""
    there = sram_bytes or (target.sram_bytes if target else 0)
    return max(1, there - target.overhead_of("tinynas").sram_bytes) if target and there else there


def _tables(report: dict[str, Any]) -> list[Any]:
    layers = [
        [
            layer["name"],
            layer["operator"],
            f"{layer['macs']:,}",
            f"{layer['sram_bytes']:,}",
            f"{layer['flash_bytes']:,}",
        ]
        for layer in report["layers"]
    ]
    summary = [
        ["MACs", f"{report['macs']:,}"],
        ["parameters", f"{report['params']:,}"],
        ["SRAM", format_size(report["sram_bytes"])],
        ["  activations", format_size(report["activation_bytes"])],
        ["  scratch", format_size(report["scratch_bytes"])],
        ["  peak at", str(report["peak_operator"])],
        ["Flash", format_size(report["flash_bytes"])],
    ]
    if report["chosen"]:
        summary.insert(0, ["chosen", report["chosen"]])
    if report["lower_bound_bytes"]:
        above = 100 * (report["activation_bytes"] / report["lower_bound_bytes"] - 1)
        summary.append(["lower bound", f"{format_size(report['lower_bound_bytes'])}, activations {above:.1f} % above"])
    if report["instructions"]:
        summary.append(["instructions, predicted", f"{report['instructions']:,}"])
    if report["latency_us"]:
        summary.append(["latency, predicted", f"{report['latency_us'] / 1000:.1f} ms"])
    if report["target"]:
        overhead = report["overhead"]
        summary.append(["platform", f"{overhead['sram_bytes']:,} B SRAM, {overhead['flash_bytes']:,} B Flash"])
        summary.append([f"fits {report['target']}", "yes" if report["fits"] else "no"])
    return [
        table("Layers", ["layer", "operator", "MACs", "SRAM B", "Flash B"], layers),
        table(f"{report['name']}, schedule {report['schedule']}", ["", ""], summary),
    ]
