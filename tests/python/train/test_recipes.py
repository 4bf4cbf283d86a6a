"""Recipes: what their phases train, and that a run killed anywhere goes on to the same weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from tinynas.config.space import SpaceConfig
from tinynas.config.train import TrainConfig, load_train
from tinynas.data.base import DataSet
from tinynas.errors import InputError
from tinynas.train import TrainProgress, train_supernet
from tinynas.train.checkpoint import load
from tinynas.train.recipes import Recipe, phase_at, phase_rate

torch = pytest.importorskip("torch")
native = pytest.importorskip("tinynas._supernet")


def config_of(recipe: str) -> TrainConfig:
    bundled = load_train(recipe)
    return bundled.model_copy(
        update={"epochs": 2.0, "batch_size": 24, "ema_decay": 0.9, "checkpoint_seconds": 1e-6, "learning_rate": 0.05}
    )


HEAD_START = config_of("sandwich").model_copy(update={"largest_first": 0.3})


def test_progressive_shrinking_opens_one_dimension_after_the_other(space: SpaceConfig) -> None:
    recipe = Recipe(space, None, config_of("ofa"))
    phases = recipe.phases(730)
    assert [phase.part.name for phase in phases] == [
        *("largest", "kernel", "depth 1", "depth 2", "expansion 1", "expansion 2", "width")
    ]
    assert [phase.first for phase in phases] == [0, 180, 305, 330, 455, 480, 605]
    assert sum(phase.steps for phase in phases) == 730
    seen: dict[str, dict[str, set[float]]] = {}
    for phase in phases:
        drawn = [json.loads(a) for step in range(40) for a in recipe.archs(phase, (0, 0, step))]
        keys = ("kernels", "depths", "expansions")
        seen[phase.part.name] = {key: {v for arch in drawn for v in arch[key]} for key in keys}
        seen[phase.part.name]["widths"] = {arch["width"] for arch in drawn}
        assert len(drawn) == 40 * max(1, phase.part.count)
    largest = {"kernels": {7}, "depths": {2}, "expansions": {4}, "widths": {1.0}}
    assert seen["largest"] == largest
    assert seen["kernel"] == largest | {"kernels": {3, 5, 7}}
    assert seen["depth 2"] == seen["kernel"] | {"depths": {1, 2}}
    assert seen["expansion 1"] == seen["depth 2"] | {"expansions": {3, 4}}
    assert seen["expansion 2"] == seen["depth 2"] | {"expansions": {2, 3, 4}}
    assert seen["width"] == seen["expansion 2"] | {"widths": {0.5, 1.0}}


def test_one_subspace_has_no_phase_of_widths(space: SpaceConfig) -> None:
    assert Recipe(space, (16, 1.0), config_of("ofa")).phases(100)[-1].part.name == "expansion 2"


def test_every_phase_warms_up_and_cools_down(space: SpaceConfig) -> None:
    config = config_of("mcunet")
    phases = Recipe(space, None, config).phases(90)
    assert [(phase.first, phase.steps) for phase in phases] == [(0, 30), (30, 60)]
    assert phase_at(phases, 29) is phases[0]
    assert phase_at(phases, 30) is phases[1]
    assert phase_rate(config, phases[0], 29) < 0.01 * config.learning_rate
    assert max(phase_rate(config, phases[1], step) for step in range(30, 90)) > 0.95 * config.learning_rate


def test_the_sandwich_may_begin_with_the_largest_alone(space: SpaceConfig) -> None:
    assert [phase.part.name for phase in Recipe(space, None, config_of("sandwich")).phases(100)] == ["sandwich"]
    recipe = Recipe(space, None, HEAD_START)
    phases = recipe.phases(100)
    assert [(phase.part.name, phase.first) for phase in phases] == [("largest", 0), ("sandwich", 30)]
    largest, sandwich = (recipe.archs(phase, (0, 0, 1)) for phase in phases)
    assert len(largest) == 1 and largest[0] == sandwich[0]
    assert len(sandwich) == 4


def test_what_does_not_fit_is_refused(space: SpaceConfig) -> None:
    with pytest.raises(InputError, match="at least 7 steps"):
        Recipe(space, None, config_of("ofa")).phases(6)
    with pytest.raises(ValidationError, match="expected epochs, not minutes"):
        TrainConfig(recipe="ofa", minutes=3)
    with pytest.raises(ValidationError, match="expected epochs, not minutes, for largest_first"):
        TrainConfig(largest_first=0.3, minutes=3)


@pytest.mark.parametrize("config", [config_of("ofa"), config_of("mcunet"), HEAD_START], ids=lambda c: c.recipe)
def test_a_run_killed_where_phases_begin_goes_on_to_the_same_weights(
    config: TrainConfig, space: SpaceConfig, data: DataSet, tmp_path: Path
) -> None:
    phases = Recipe(space, None, config).phases(16)
    cuts = sorted({phases[1].first, phases[-2].first, phases[-1].first, phases[-1].first + 1})

    def keep(progress: TrainProgress) -> None:
        if progress.step - 1 in cuts:  # the file is that of the step before: it is written after the report
            shutil.copytree(tmp_path / "whole", tmp_path / f"cut{progress.step - 1}")

    whole = load(train_supernet(space, None, data, config, tmp_path / "whole", keep))
    for cut in cuts:
        folder = tmp_path / f"cut{cut}"
        assert load(folder / "supernet.pt").step == cut
        resumed = load(train_supernet(space, None, data, config, folder))
        for one, two in ((whole.parameters, resumed.parameters), (whole.average, resumed.average)):
            assert all(torch.equal(one[name], two[name]) for name in one)
