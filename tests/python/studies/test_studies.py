"""The studies on a small data set: they end with a table, and find it again without training anew."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tinynas.config.target import load_target

pytest.importorskip("tinynas._supernet")

ROOT = Path(__file__).resolve().parents[3]


def run_study(name: str, out: Path, small_search: list[str], *options: str) -> Any:
    """The study's result.json."""
    given = dict(zip(small_search[::2], small_search[1::2], strict=True))
    common = [part for key in ("--data", "--space", "--train") for part in (key, given[key])]
    script = ROOT / "scripts" / "studies" / f"{name}.py"
    done = subprocess.run(
        [sys.executable, str(script), "--out", str(out), "--epochs", "2", *common, *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])},
    )
    assert done.returncode == 0, done.stderr
    return json.loads((out / "result.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("where", [[], ["--resolution", "16", "--width", "1.0"]])
def test_rank_correlation(tmp_path: Path, small_search: list[str], where: list[str]) -> None:
    found = run_study("rank_correlation", tmp_path, small_search, "--networks", "3", *where)
    assert -1 <= found["tau"] <= 1
    assert len(found["supernet"]) == len(found["alone"]) == len(found["archs"]) == 3
    subspaces = {(arch["resolution"], arch["width"]) for arch in found["archs"]}
    assert subspaces == {(16, 1.0)} if where else len(subspaces) > 1
    assert (tmp_path / "plot.svg").is_file()
    trained = {file: file.read_bytes() for file in tmp_path.glob("alone-*.pt")}
    again = run_study("rank_correlation", tmp_path, small_search, "--networks", "3", "--split", "validation", *where)
    assert (found["split"], again["split"]) == ("test", "validation")
    assert again["archs"] == found["archs"]
    assert (tmp_path / "measured-supernet-validation.jsonl").is_file()
    assert {file: file.read_bytes() for file in tmp_path.glob("alone-*.pt")} == trained


class _Accuracy:
    """A trained network that is right as often as its arch says."""

    def __init__(self, value: float) -> None:
        self.value = value

    def accuracy(self, _split: Any) -> float:
        return self.value


def test_two_processes_share_the_networks_alone(
    tmp_path: Path, small_search: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "studies"))
    given = dict(zip(small_search[::2], small_search[1::2], strict=True))
    make = partial(importlib.import_module("study").Study, tmp_path, given["--data"], 1.0, given["--space"])
    first, second = make(), make()
    archs = [{"accuracy": 0.25 * i} for i in range(4)]
    trained: dict[str, list[float]] = {"first": [], "second": []}
    begun, others_done = threading.Event(), threading.Event()

    def train(name: str, arch: dict[str, Any]) -> _Accuracy:
        if name == "first":  # holds the first network until the second process has trained all others
            begun.set()
            assert others_done.wait(timeout=60)
        trained[name].append(arch["accuracy"])
        if trained["second"] == [0.25, 0.5, 0.75]:
            others_done.set()
        return _Accuracy(arch["accuracy"])

    for name, study in (("first", first), ("second", second)):
        monkeypatch.setattr(study, "alone", partial(train, name))
    with ThreadPoolExecutor() as pool:
        one = pool.submit(first.accuracies_alone, archs, first.data.test)
        assert begun.wait(timeout=60)
        two = pool.submit(second.accuracies_alone, archs, second.data.test)
        assert one.result() == two.result() == [0.0, 0.25, 0.5, 0.75]
    assert trained == {"first": [0.0], "second": [0.25, 0.5, 0.75]}


def test_latency_of_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "studies"))
    boards = importlib.import_module("boards")
    m7, m4 = load_target("stm32f746"), load_target("stm32f412")
    assert boards._latency(1000.0, "tinyengine", load_target("stm32h743")) == 1000.0
    assert boards._latency(1000.0, "tinyengine", m7) == pytest.approx(1000.0 * 480e6 / m7.clock_hz)
    assert boards._latency(1000.0, "tinyengine", m4) is None
    assert boards._latency(1000.0, "streaming", m4) == 1000.0
    assert boards._latency(None, "tflm", m7) is None


def test_sharing_goes_on_from_what_is_there(tmp_path: Path, small_search: list[str]) -> None:
    found = run_study("sharing", tmp_path, small_search, "--networks", "2")
    assert {arm: len(values) for arm, values in found["accuracy"].items()} == {"shared": 2, "subspace": 2, "alone": 2}
    assert all(0 <= value <= 1 for values in found["accuracy"].values() for value in values)
    (tmp_path / "result.json").unlink()
    for checkpoint in tmp_path.glob("alone-*.pt"):
        checkpoint.write_bytes(b"")  # would be refused if it were read again
    assert run_study("sharing", tmp_path, small_search, "--networks", "2") == found
