"""`tinynas train`: a supernet alone, for many searches later; under `torchrun`, in several processes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.output import JsonOption, emit, log, reports_errors, table
from tinynas.cli.search import (
    DataOption,
    DeviceOption,
    EpochsOption,
    HoldOutOption,
    SpaceOption,
    TrainOption,
    with_epochs,
)


@reports_errors
def train(
    out: Annotated[Path, typer.Option("--out", help="Folder of the checkpoint; one that is there goes on.")],
    data: DataOption = "scenes",
    hold_out: HoldOutOption = None,
    space: SpaceOption = None,
    train: TrainOption = None,
    epochs: EpochsOption = None,
    init: Annotated[
        Path | None, typer.Option("--init", help="A supernet of the same space to start from, for a longer training.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: DeviceOption = "cpu",
    as_json: JsonOption = False,
) -> None:
    """Train a supernet that serves all of a space; `search --supernet OUT/supernet.pt` uses it."""
    from tinynas.config.space import load_space
    from tinynas.search.inputs import data_options, fit_space, preset_for, read_data, training_data
    from tinynas.train import RichProgress, load_train
    from tinynas.train.checkpoint import load
    from tinynas.train.distributed import joined
    from tinynas.train.loop import train_supernet

    reading = data_options(out / ".cache", seed, hold_out or ())
    data_set = read_data(data, reading, log)
    preset = preset_for(data_set)
    recipe = with_epochs(load_train(train or preset.train), epochs)
    config = recipe.model_copy(update={"seed": seed, "device": device})
    net_space = fit_space(load_space(space or preset.space), data_set)
    data_set = training_data(data_set, data, reading, recipe, log)
    with joined(device) as world, ExitStack() as shown:
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
