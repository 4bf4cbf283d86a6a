"""Which space and recipe suit the data, and how data options reach them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.io import wavfile

from tinynas.config.space import load_space
from tinynas.config.train import load_train
from tinynas.data.arrays import ArraySplit
from tinynas.data.base import DataSet
from tinynas.search.inputs import data_options, fit_space, preset_for, read_data, training_data


def data_of(side: int, channels: int = 3, name: str = "mine") -> DataSet:
    split = ArraySplit(np.zeros((4, side, side, channels), np.uint8), np.zeros(4, np.int64))
    return DataSet(name, ("a", "b"), split, split, split, side, channels)


@pytest.mark.parametrize(
    ("data", "space"),
    [
        (data_of(96, name="scenes"), "scenes"),
        (data_of(32), "cifar"),
        (data_of(64), "scenes"),
        (data_of(224), "mcunet"),
        (data_of(48, channels=1), "sound"),
    ],
)
def test_every_kind_of_data_has_a_space_and_a_recipe(data: DataSet, space: str) -> None:
    preset = preset_for(data)
    assert preset.space == space
    fitted = fit_space(load_space(preset.space), data)
    assert fitted.resolutions[-1] <= data.max_resolution
    assert (fitted.input_channels, fitted.classes) == (data.channels, 2)
    assert load_train(preset.train).recipe == "sandwich"


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for digit in range(2):
        for speaker in ("ann", "bob"):
            for n in range(8):
                wave = generator.integers(-9000, 9000, 4000).astype(np.int16)
                wavfile.write(folder / f"{digit}_{speaker}_{n}.wav", 8000, wave)
    return folder


def test_speakers_are_held_out(digits: Path, tmp_path: Path) -> None:
    console = Console(quiet=True)
    customary = read_data(str(digits), data_options(tmp_path, 0), console)
    assert (len(customary.train) + len(customary.val), len(customary.test)) == (12, 20)
    held = read_data(str(digits), data_options(tmp_path, 0, ["bob"]), console)
    assert (len(held.train) + len(held.val), len(held.test)) == (16, 16)
    assert customary.fingerprint != held.fingerprint


def test_the_recipe_names_the_augmentation(digits: Path, tmp_path: Path) -> None:
    console, options = Console(quiet=True), data_options(tmp_path, 0)
    data = read_data(str(digits), options, console)
    index = np.arange(4)
    plain = data.train.batch(index, 32)[0]

    def augmented(recipe: str) -> np.ndarray:
        config = load_train("sound").model_copy(update={"augmentation": recipe})
        used = training_data(data, str(digits), options, config, console)
        assert used.fingerprint == data.fingerprint
        return np.asarray(used.train.batch(index, 32, np.random.default_rng(1))[0])

    assert (augmented("auto") != plain).any()
    np.testing.assert_array_equal(augmented("none"), plain)
