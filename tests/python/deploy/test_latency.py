"""The latency model of our engine: features, factors, and `profile --target`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinynas import _core, latency
from tinynas.deploy.sample_networks import small_network


def first_flat(graph: _core.Graph) -> int:
    """The first operator whose output is no map."""
    ranks = [len(graph.tensors[operator.outputs[0]].shape) for operator in graph.operators]
    return next((i for i, rank in enumerate(ranks) if rank != 4), len(ranks))


def test_instructions_are_the_fit_of_the_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = {"pointwise": [1.0, 10.0, 0.0, 0.0, 0.0], "other": [0.0, 0.0, 1.0, 0.0, 7.0]}
    monkeypatch.setattr(latency, "_fits", lambda: {"cortex-m7": fits})
    graph = small_network(2)
    counts = latency.operator_instructions(graph, "cortex-m7")
    assert counts is not None
    checked = 0
    for index, operator in enumerate(graph.operators[: first_flat(graph)]):
        _, height, width, channels = graph.tensors[operator.outputs[0]].shape
        if latency.kind_of(graph, index) == "pointwise":
            inner = graph.tensors[operator.inputs[0]].shape[3]
            checked += 1
            assert counts[index] == pytest.approx(height * width * channels * (inner + 10))
        if operator.kind == "add":
            assert counts[index] == pytest.approx(height * width * channels + 7)
    assert checked > 0
    assert latency.operator_instructions(graph, "cortex-m4") == counts
    assert latency.operator_instructions(graph, "cortex-m0plus") is None


def test_profile_says_how_long_a_network_takes(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(small_network(2).to_json())
    command = [sys.executable, "-m", "tinynas", "profile", str(tmp_path / "model.json"), "--json", "--target"]
    reports = {}
    for target in ("stm32f746", "stm32h743", "rp2040"):
        done = subprocess.run([*command, target], capture_output=True, text=True, check=True)
        reports[target] = json.loads(done.stdout)
    f746, h743 = reports["stm32f746"], reports["stm32h743"]
    assert f746["latency_us"] == pytest.approx(sum(layer["latency_us"] or 0 for layer in f746["layers"]))
    assert f746["latency_us"] / h743["latency_us"] == pytest.approx(480 / 216)
    assert reports["rp2040"]["latency_us"] is None
