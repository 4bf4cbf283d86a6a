"""A run's folder: refused, resumed, and stages done once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.errors import InputError
from tinynas.search.run_dir import RunDir, read_json


def test_a_run_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    RunDir(tmp_path / "a").open({"seed": 0}, resume=False)
    with pytest.raises(InputError, match="--resume"):
        RunDir(tmp_path / "a").open({"seed": 0}, resume=False)


def test_resuming_with_other_settings_names_the_difference(tmp_path: Path) -> None:
    RunDir(tmp_path).open({"budget": {"sram_bytes": 1}}, resume=True)
    with pytest.raises(InputError, match=r"budget\.sram_bytes: 1 -> 2"):
        RunDir(tmp_path).open({"budget": {"sram_bytes": 2}}, resume=True)


def test_a_stage_is_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"x": len(made)}

    run = RunDir(tmp_path)
    assert run.once("stage.json", make) == {"x": 1}
    assert run.once("stage.json", make) == {"x": 1}
    assert len(made) == 1


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "stage.json").write_text("{")
    with pytest.raises(InputError, match=r"stage\.json"):
        read_json(tmp_path / "stage.json")
