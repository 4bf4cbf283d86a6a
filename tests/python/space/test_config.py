"""Space files: the bundled ones, what a user's may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tinynas.config.loader import configs_dir
from tinynas.config.space import SpaceConfig, load_space
from tinynas.errors import InputError

BUNDLED = sorted(path.stem for path in configs_dir("spaces").glob("*.yaml"))


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_spaces_load_under_their_own_name(name: str) -> None:
    assert load_space(name).name == name


def test_mcunet_is_the_published_space() -> None:
    space = load_space("mcunet")
    assert len(space.resolutions) * len(space.widths) == 108
    assert [s.channels for s in space.stages] == [24, 40, 80, 96, 192, 320]
    assert [s.stride for s in space.stages] == [2, 2, 2, 1, 2, 1]
    assert space.classes == 1000
    assert load_space("mcunet", classes=7).classes == 7


def write(folder: Path, **changes: object) -> Path:
    content = yaml.safe_load((configs_dir("spaces") / "cifar.yaml").read_text())
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content | changes))
    return path


def test_a_users_space_is_read_from_its_path(tmp_path: Path) -> None:
    assert load_space(write(tmp_path, name="mine", resolutions=[20])).resolutions == (20,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolutoins": [32]}, "did you mean 'resolutions'"),
        ({"resolutions": []}, "resolutions"),
        ({"resolutions": [32, 24]}, "ascending"),
        ({"widths": [0.5, float("nan")]}, "widths"),
        ({"widths": [-1.0]}, "widths"),
        ({"stem": {"channels": 16, "kernel": 4}}, "odd"),
        ({"stem": {"channels": 16, "kernal": 3}}, "did you mean 'kernel'"),
        ({"stem": {"channels": 8000}, "widths": [1.5]}, "at most 8192 channels"),
        ({"stages": []}, "stages"),
        ({"classes": "many"}, "classes"),
    ],
)
def test_bad_spaces_are_refused_with_the_place(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_space(write(tmp_path, **changes))


def test_unknown_names_list_the_bundled_ones() -> None:
    with pytest.raises(InputError, match="mcunet"):
        load_space("mcunetv9")


def test_resolutions_never_exceed_the_data() -> None:
    space = load_space("scenes")
    assert space.up_to_resolution(79).resolutions == (48, 64)
    with pytest.raises(InputError, match="at most 32 pixels"):
        space.up_to_resolution(32)


def test_subspace() -> None:
    part = load_space("scenes").subspace(64, 0.5)
    assert (part.resolutions, part.widths) == ((64,), (0.5,))
    with pytest.raises(InputError, match="no subspace"):
        load_space("scenes").subspace(65, 0.5)


def test_frozen() -> None:
    with pytest.raises(Exception, match="frozen"):
        load_space("cifar").classes = 3


def test_json_is_the_models_own(tmp_path: Path) -> None:
    space = load_space("cifar")
    assert SpaceConfig.model_validate(space.as_json()) == space
