"""`tinynas train`: a supernet alone, for many searches later; under `torchrun`, in several processes."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.output import JsonOption, emit, log, reports_errors, table
from tinynas.cli.search import (
    BitsOption,
    DataOption,
    DeviceOption,
    EpochsOption,
    HoldOutOption,
    SpaceOption,
    TrainOption,
    with_epochs,
)
from tinynas.errors import InputError
from tinynas.search.bits import Bits

if TYPE_CHECKING:
    from tinynas.config.space import SpaceConfig
    from tinynas.config.train import TrainConfig
    from tinynas.data import DataSet


@reports_errors
def train(
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the checkpoint; one that is there goes on.")
    ] = None,
    qat: Annotated[
        Path | None,
        typer.Option("--qat", help="A search's run: its winner is trained on with quantisers, instead of a supernet."),
    ] = None,
    alone: Annotated[
        bool,
        typer.Option("--alone", help="Only the space's largest network: a teacher for `search --teacher OUT`."),
    ] = False,
    bits: BitsOption = Bits.w4a8,
    data: DataOption = "scenes",
    hold_out: HoldOutOption = None,
    space: SpaceOption = None,
    train: TrainOption = None,
    epochs: EpochsOption = None,
    init: Annotated[
        Path | None,
        typer.Option("--init", exists=True, help="A supernet of the same space, or a narrower one, to start from."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a supernet that serves all of a space; `search --supernet OUT/supernet.pt` uses it.

    With --alone: its largest network only, to OUT/finetune.pt, which `search --teacher OUT` learns from.
    With --qat RUN: quantisation-aware training of a run's float network, to RUN/model-BITS.json, which
    `export RUN --bits BITS` writes in other forms.
    """
    from tinynas.config.space import load_space
    from tinynas.search.inputs import data_options, fit_space, preset_for, read_data, training_data
    from tinynas.train import RichProgress, load_train
    from tinynas.train.checkpoint import load
    from tinynas.train.distributed import joined
    from tinynas.train.loop import train_supernet
    from tinynas.train.native import check_device

    if (out is None) == (qat is None):
        raise InputError("train: expected --out FOLDER for a supernet or --qat RUN, and not both")
    if alone and (qat or init):
        raise InputError("train: expected --alone without --qat and --init")
    given_space, given_recipe = space and load_space(space), train and load_train(train)
    check_device(device or (given_recipe.device if given_recipe else "cpu"))
    place = qat if out is None else out
    assert place is not None
    reading = data_options(place / ".cache", seed, hold_out or ())
    data_set = read_data(data, reading, log)
    preset = preset_for(data_set)
    recipe = with_epochs(given_recipe or load_train(preset.train), epochs)
    config = recipe.model_copy(update={"seed": seed, "device": device or recipe.device})
    if out is None:
        if epochs is not None:
            config = config.model_copy(update={"qat_epochs": epochs})
        value = _train_quantised(place, data_set, bits, config)
        emit(
            as_json, value, table(f"{place.name}, {bits.value} bits", ["", ""], [[k, str(v)] for k, v in value.items()])
        )
        return
    net_space = fit_space(given_space or load_space(preset.space), data_set)
    data_set = training_data(data_set, data, reading, recipe, log)
    if alone:
        value = _train_alone(out, net_space, data_set, config)
        emit(as_json, value, table(net_space.name, ["", ""], [[key, str(entry)] for key, entry in value.items()]))
        return
    with joined(config.device) as world, ExitStack() as shown:
        progress = shown.enter_context(RichProgress("training the supernet", log)) if world.is_first else None
        checkpoint = train_supernet(net_space, None, data_set, config, out, progress, init)
    if not world.is_first:
        return
    state = load(checkpoint)
    value = {
        "checkpoint": str(checkpoint),
        "data": data_set.name,
        "synthetic": data_set.synthetic,
        "steps": state.step,
        "image_passes": state.pictures,
        "seconds": round(state.seconds, 1),
    }
    emit(as_json, value, table("Supernet", ["", ""], [[key, str(entry)] for key, entry in value.items()]))


def _train_alone(out: Path, space: SpaceConfig, data: DataSet, config: TrainConfig) -> dict[str, Any]:
    """Writes OUT/finetune.pt; what was measured."""
    from tinynas.train import RichProgress
    from tinynas.train.alone import FINETUNED, train_alone
    from tinynas.train.checkpoint import load
    from tinynas.train.native import supernet_module

    checkpoint = out / FINETUNED
    widest, side = space.widths[-1], space.resolutions[-1]
    arch = supernet_module().sandwich_archs(space.model_dump_json(), side, widest, 0, (0, 0, 0))[0]
    with RichProgress("training the largest network", log) as progress:
        net = train_alone(space, arch, data, config, checkpoint, progress)
    state = load(checkpoint)
    return {
        "checkpoint": str(checkpoint),
        "arch": json.loads(arch),
        "data": data.name,
        "synthetic": data.synthetic,
        "accuracy": {"val": net.accuracy()},
        "val_by_statistics": net.val_by_statistics,
        "image_passes": state.pictures,
        "seconds": round(state.seconds, 1),
    }


def _train_quantised(run: Path, data: DataSet, bits: Bits, config: TrainConfig) -> dict[str, Any]:
    """Writes RUN/model-BITS.json; what was measured."""
    import tinynas._core as _core
    from tinynas.search.bits import model_name, uniform_formats
    from tinynas.search.quantised import quantise_network
    from tinynas.search.run_dir import write_atomic

    source = run / "float_model.json"
    if not source.is_file():
        raise InputError(f"{run}: expected a finished search with float_model.json")
    graph = _core.Graph.from_json(source.read_text(encoding="utf-8"))
    formats = _formats_found(run) if bits is Bits.mixed else uniform_formats(graph, bits)
    with log.status("quantisation-aware training"):
        made = quantise_network(graph, data, formats, config, run / f"qat-{bits.value}.pt")
    out = run / model_name(bits)
    write_atomic(out, made.graph.to_json())
    report = {key: value for key, value in made.report.items() if key != "formats"}
    return {"bits": bits.value} | report | {"model": str(out), "data": data.name, "synthetic": data.synthetic}


def _formats_found(run: Path) -> list[str]:
    """The formats of the operators of a run that searched over them."""
    import tinynas._core as _core

    file = run / "arch.json"
    point = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if "formats" not in point.get("arch", {}):
        raise InputError(f"{run}: expected a run of `search --bits mixed`, which finds what each block has")
    space = _core.SearchSpace.from_json(json.dumps(point["space"]))
    return list(_core.operator_formats(space, _core.Arch.from_json(json.dumps(point["arch"]))))
