"""A whole search in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tinynas.cli import app
from tinynas.train.checkpoint import load

pytest.importorskip("tinynas._supernet")

ROOT = Path(__file__).resolve().parents[3]


class _Spoilt:
    """What a finetuning gives that lost everything."""

    val_by_statistics: ClassVar = {"plain": 0.0, "seen": 0.0}

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


def test_a_published_network_is_trained_on_from_the_mean_of_runs(small_search: list[str], tmp_path: Path) -> None:
    def search(name: str, *options: str) -> Result:
        return CliRunner().invoke(app, ["search", *small_search, "--runs", str(tmp_path), "--name", name, *options])

    first = search("first", "--json")
    assert first.exit_code == 0, first.output
    run = tmp_path / "first"
    winner = json.loads((run / "stage2.json").read_text())
    published = tmp_path / "published"
    publish = [sys.executable, str(ROOT / "scripts" / "publish.py"), str(run), str(published)]
    subprocess.run(publish, check=True, env=os.environ | {"PYTHONPATH": str(ROOT / "python")})
    goes_on = ["--arch", str(published), "--init", str(published)]
    for name, options in (("second", goes_on), ("third", [*goes_on, "--init", str(tmp_path / "second")])):
        done = search(name, *options, "--json")
        assert done.exit_code == 0, done.output
        made = tmp_path / name
        assert not (made / "history.jsonl").exists()
        given = json.loads((made / "stage2.json").read_text())
        assert {key: given[key] for key in ("arch", "accuracy", "macs")} == {
            key: winner[key] for key in ("arch", "accuracy", "macs")
        }
        result = json.loads(done.stdout)
        assert result["arena_bytes"]["predicted"] == result["arena_bytes"]["compiled"]
        assert (made / "report.html").is_file()
    pictures = [load(tmp_path / name / "finetune.pt").pictures for name in ("first", "second", "third")]
    assert pictures == [pictures[0], 2 * pictures[0], 3 * pictures[0]]
    tight = search("tight", *goes_on, "--macs", "1k")
    assert tight.exit_code == 3
    assert f"{winner['macs']:,} MACs" in tight.stderr.replace("\n", " ")
    point = json.loads((run / "arch.json").read_text())
    point["arch"]["resolution"] = 18
    (tmp_path / "other.json").write_text(json.dumps(point))
    other = search("other", "--arch", str(tmp_path / "other.json"))
    assert other.exit_code == 2
    assert "expected a network of the space tiny" in other.stderr.replace("\n", " ")


@pytest.mark.parametrize("bits", ["mixed", "4"])
def test_a_search_over_bits_ends_in_code_that_equals_the_reference(
    bits: str, small_search: list[str], tmp_path: Path
) -> None:
    asked = ["search", *small_search, "--runs", str(tmp_path), "--name", "run", "--bits", bits, "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["arena_bytes"]["predicted"] == result["arena_bytes"]["compiled"]
    assert result["pictures_equal_to_reference"] == result["pictures"]["val"]
    assert result["quantised"]["bits"] == bits
    run = tmp_path / "run"
    point = json.loads((run / "arch.json").read_text())
    formats = set(point["arch"]["formats"])
    assert formats == {"w4a4"} if bits == "4" else formats & {"w4a8", "w4a4"}
    assert result["cost"]["flash_bytes"] == json.loads((run / "stage2.json").read_text())["flash_bytes"]
    out = CliRunner().invoke(app, ["export", str(run), "--bits", bits, "--out", str(tmp_path / "c")])
    assert out.exit_code == 0, out.output
    missing = CliRunner().invoke(app, ["export", str(run), "--bits", "w4a8", "--out", str(tmp_path / "d")])
    assert missing.exit_code == 2
    assert "train --qat" in missing.output
