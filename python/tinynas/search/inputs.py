"""What a search starts from: the data, and the space that suits them."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from tinynas.config.space import SpaceConfig
from tinynas.data import DataSet, FolderOptions, load_data

SMALL_PICTURES = 32


def read_data(source: str, cache: Path, seed: int, console: Console) -> DataSet:
    """The data set, decoded or drawn once into the cache; its notes (synthetic, how it was split) are printed."""
    with console.status(f"reading {source}"):
        data = load_data(source, FolderOptions(seed=seed, cache_dir=cache / "data"))
    for note in data.notes:
        console.print(f"[yellow]note:[/] {note}")
    return data


def preset_for(data: DataSet) -> str:
    """The space and recipe of that name suit the data."""
    if data.name == "scenes":
        return "scenes"
    return "cifar" if data.max_resolution <= SMALL_PICTURES else "mcunet"


def fit_space(space: SpaceConfig, data: DataSet) -> SpaceConfig:
    """The space with the data's classes and channels and no resolution beyond what the data offers.

    InputError when no resolution is left.
    """
    adapted = space.model_copy(update={"input_channels": data.channels})
    return adapted.with_classes(len(data.classes)).up_to_resolution(data.max_resolution)
