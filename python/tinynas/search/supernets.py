"""The supernet that a search measures through: given, found in the cache, or trained."""

from __future__ import annotations

from pathlib import Path

from tinynas.config.space import SpaceConfig
from tinynas.config.train import FREE_KEYS
from tinynas.data import DataSet
from tinynas.errors import InputError
from tinynas.search.run_dir import read_json, write_json
from tinynas.search.settings import SearchSettings, content_key
from tinynas.train import RichProgress, TrainConfig
from tinynas.train.loop import train_supernet

_DONE = "done.json"
_LATER = ("augmentation", "mixup")
"""Settings younger than supernets that users may have: they name a supernet only where they are not the default."""


def train_config(settings: SearchSettings) -> TrainConfig:
    """The training config with the search's seed and device."""
    return settings.train.model_copy(update={"seed": settings.seed, "device": settings.device})


def supernet_dir(settings: SearchSettings, space: SpaceConfig, data: DataSet) -> Path:
    """Where the supernet of these settings lies: named by all that its weights depend on."""
    recipe = train_config(settings).model_dump(mode="json", exclude=FREE_KEYS)
    for name in _LATER:
        if recipe[name] == TrainConfig.model_fields[name].default:
            del recipe[name]
    key = content_key(space.model_dump(mode="json"), data.fingerprint, recipe)
    return settings.cache / "supernets" / f"{space.name}-{data.name}-{key}"


def obtain_supernet(settings: SearchSettings, space: SpaceConfig, data: DataSet) -> Path:
    """The checkpoint: `--supernet`, or the one trained for all (R, W) of the space, which every budget shares.

    A training that was killed goes on from its last checkpoint. InputError when a given checkpoint is of another space.
    """
    if settings.supernet is not None:
        return settings.supernet
    folder = supernet_dir(settings, space, data)
    if not (folder / _DONE).exists():
        with RichProgress("training the supernet") as progress:
            train_supernet(space, None, data, train_config(settings), folder, progress)
        write_json(folder / _DONE, {"space": space.name, "data": data.name})
    return folder / "supernet.pt"


def check_space(checkpoint_space: SpaceConfig, space: SpaceConfig, path: Path) -> None:
    """InputError when a given supernet was trained for another space than the one searched."""
    if checkpoint_space != space:
        raise InputError(
            f"{path}: was trained for the space {checkpoint_space.name}, whose choices differ from {space.name}'s"
        )


def find_supernet(run: Path) -> Path:
    """The checkpoint that a finished run searched in."""
    return Path(read_json(run / "supernet.json")["checkpoint"])
