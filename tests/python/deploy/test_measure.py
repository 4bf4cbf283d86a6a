"""Sizes and overheads that scripts measure and write into the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tinynas import _core
from tinynas.config.loader import configs_dir
from tinynas.config.target import load_target
from tinynas.deploy import measure_code, measure_overhead
from tinynas.deploy.sample_networks import mixed_network, small_network, varied_network

needs_compiler = pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs gcc-arm-none-eabi")


@pytest.mark.parametrize("make", [small_network, varied_network, mixed_network])
def test_sample_networks_move_and_repeat(make: object) -> None:
    graph = make(3)  # type: ignore[operator]
    graph.validate()
    assert graph.to_json() == make(3).to_json()  # type: ignore[operator]
    shape = graph.tensors[graph.inputs[0]].shape
    picture = np.random.default_rng(0).integers(-128, 128, shape, dtype=np.int8)
    tensors = _core.run(graph, [picture], all_tensors=True)
    spread = [len(np.unique(tensors[op.outputs[0]])) for op in graph.operators if op.kind == "conv2d"]
    assert min(spread) > 5


def test_a_targets_text_keeps_all_but_our_figures() -> None:
    text = (configs_dir("targets") / "stm32f746.yaml").read_text()
    changed = measure_overhead.rewrite(text, 1111, 22222)
    assert changed.count("1111") == 1
    assert measure_overhead.rewrite(changed, 5, 6).count("22222") == 0
    before, after = text.splitlines(), changed.splitlines()
    assert len(before) == len(after)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 3


def test_every_target_knows_our_overhead() -> None:
    for path in configs_dir("targets").glob("*.yaml"):
        overhead = load_target(path.stem).overhead_of("tinynas")
        assert 1024 < overhead.sram_bytes <= 1024 + 512
        assert 4096 < overhead.flash_bytes < 32768


@needs_compiler
@pytest.mark.parametrize(
    ("core", "prefer"),
    [("cortex-m0plus", "speed"), ("cortex-m7", "speed"), ("cortex-m7", "memory"), ("cortex-m55", "speed")],
)
def test_predicted_flash_is_the_linkers(core: str, prefer: str, tmp_path: Path) -> None:
    graph = varied_network(5)
    plan = measure_code.plan_by_seed(graph, core, 1, prefer)
    case = measure_code.Check("varied 5", graph, plan, prefer)
    _, error = measure_code.prediction_error(case, core, tmp_path / "net", tmp_path / "engine")
    assert abs(error) <= 0.01
