"""A whole search in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinynas.cli import app

pytest.importorskip("tinynas._supernet")


class _Spoilt:
    """What a finetuning gives that lost everything."""

    def accuracy(self, _split: object = None) -> float:
        return 0.0


def test_a_finetuning_that_loses_is_left_out(
    small_search: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinynas.train.alone.finetune", lambda *_: _Spoilt())
    done = CliRunner().invoke(app, ["search", *small_search, "--runs", str(tmp_path), "--name", "run", "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    accuracy = result["accuracy"]
    assert result["finetuned"] is False
    assert accuracy["float_val"] == accuracy["supernet_val"] > 0.5
    assert accuracy["int8_c_val"] == pytest.approx(accuracy["float_val"], abs=0.05)
