"""The ablation and the fit of the latency model, on small networks."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench" / "cortex_m"))

import ablation
import calibrate

from tinynas import _core
from tinynas.deploy.sample_networks import mixed_network


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)
def test_every_step_runs_and_saves(tmp_path: Path) -> None:
    graph = mixed_network(2)
    portable, least, fast = (
        ablation.measure(graph, ablation.WAYS[i], "cortex-m7", tmp_path / str(i)) for i in (2, 4, 5)
    )
    assert least.sram_bytes < fast.sram_bytes < portable.sram_bytes
    assert fast.instructions < 0.3 * portable.instructions
    assert fast.instructions < 0.5 * least.instructions


def test_memory_falls_with_the_plan_and_with_fusion() -> None:
    graph = mixed_network(2)
    networks = [ablation.unfused(graph), ablation.unfused(graph), graph]
    plans = [ablation.plan_of(g, way, "") for g, way in zip(networks, ablation.WAYS, strict=False)]
    apart, planned, fused = (plan.arena_bytes for plan in plans)
    assert fused < planned < apart
    assert _core.check_plan(networks[0], plans[0]) == []
    picture = np.random.default_rng(1).integers(-128, 128, graph.tensors[graph.inputs[0]].shape, dtype=np.int8)
    assert np.array_equal(_core.run(networks[0], [picture])[0], _core.run(graph, [picture])[0])
    assert sum(operator.kind == "pad" for operator in networks[0].operators) > 5


def run_of(
    name: str, samples: list[calibrate.Sample], driver: dict[str, calibrate.Terms], between: int
) -> calibrate.Run:
    return calibrate.Run(name, tuple(samples), driver, between + sum(sample.instructions for sample in samples))


def test_the_fit_finds_the_factors() -> None:
    rng = np.random.default_rng(1)
    factors = {"block": 7.0, "block_step": 11.0, "call": 300.0}

    def run(name: str) -> calibrate.Run:
        terms = [
            {key: float(v) for key, v in zip(factors, row, strict=True)} for row in rng.integers(100, 9999, (8, 3))
        ]
        samples = [
            calibrate.Sample("pointwise", t | {"mac": 1.0}, round(sum(factors[k] * t[k] for k in factors)))
            for t in terms
        ]
        moves = {"call": 4.0, "output": float(rng.integers(10, 99)), "input": 0.0}
        copy = calibrate.Sample("copy", moves, round(10 * moves["call"] + 5 * moves["output"]))
        calls = float(rng.integers(10, 99))
        driver = {"driver": {"call": calls}}
        if name == "pixels":
            return run_of(name, [*samples, copy], driver | {"driver_pixels": {"call": 10.0}}, round(20 * calls + 900))
        return run_of(name, [*samples, copy], driver, round(20 * calls))

    fits = calibrate.fit([run("rows") for _ in range(6)] + [run("pixels")], {})
    assert {key: fits["pointwise"][key] for key in factors} == pytest.approx(factors, rel=0.01)
    assert fits["driver"] == pytest.approx({"call": 20.0})
    assert fits["driver_pixels"] == pytest.approx({"call": 90.0}, rel=0.01)
    for name in ("rows", "pixels"):
        assert abs(calibrate.error_of(fits, run(name))) < 0.001
    # A kernel that was never measured counts as one that moves values.
    tile = {"call": 4.0, "output": 10.0}
    assert calibrate.share(fits, "tile", tile) == pytest.approx(90, rel=0.01)
