"""What a search starts from: the data, and the space that suits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from tinynas.config.space import SpaceConfig
from tinynas.config.train import TrainConfig
from tinynas.data import DataSet, FolderOptions, load_data
from tinynas.search.run_dir import read_json

SMALL_PICTURES, MEDIUM_PICTURES = 32, 96
"""Sides in pixels."""


class Preset(NamedTuple):
    """Names of configs that suit some data."""

    space: str
    train: str


def data_options(cache: Path, seed: int, hold_out: Sequence[str] = (), augmentation: str = "auto") -> FolderOptions:
    """How a search reads its data. `hold_out`: speakers kept for the test; `augmentation`: a preset of data/augment.py
    or data/audio/split.py."""
    return FolderOptions(seed=seed, cache_dir=cache / "data", hold_out=tuple(hold_out), augmentation=augmentation)


def read_data(source: str, options: FolderOptions, console: Console) -> DataSet:
    """The data set, decoded or drawn once into the cache; its notes (synthetic, how it was split) are printed."""
    with console.status(f"reading {source}"):
        data = load_data(source, options)
    for note in data.notes:
        console.print(f"[yellow]note:[/] {note}")
    return data


def data_of_run(run: Path, console: Console) -> DataSet:
    """The data that a run's folder was made for."""
    config = read_json(run / "config.json")
    options = data_options(run.parent / ".cache", config["seed"], config.get("hold_out", ()))
    return read_data(config["data"], options, console)


def preset_for(data: DataSet) -> Preset:
    """The space and the recipe that suit the data."""
    if data.name == "scenes":
        return Preset("scenes", "scenes")
    if data.channels == 1:
        return Preset("sound", "sound")
    if data.max_resolution <= SMALL_PICTURES:
        return Preset("cifar", "cifar")
    return Preset("scenes" if data.max_resolution <= MEDIUM_PICTURES else "mcunet", "sandwich")


def training_data(data: DataSet, source: str, options: FolderOptions, recipe: TrainConfig, console: Console) -> DataSet:
    """The data with the augmentation that the recipe asks for."""
    if recipe.augmentation == "auto":
        return data
    return read_data(source, replace(options, augmentation=recipe.augmentation), console)


def fit_space(space: SpaceConfig, data: DataSet) -> SpaceConfig:
    """The space with the data's classes and channels and no resolution beyond what the data offers.

    InputError when no resolution is left.
    """
    adapted = space.model_copy(update={"input_channels": data.channels})
    return adapted.with_classes(len(data.classes)).up_to_resolution(data.max_resolution)
