"""The latency model of our engine: committed factors, a firmware that was just counted, `profile --target`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench" / "cortex_m"))

import calibrate

from tinynas import _core, latency
from tinynas.config.loader import configs_dir
from tinynas.config.space import load_space
from tinynas.config.target import load_target
from tinynas.deploy.sample_networks import mixed_network, sizes_only, small_network
from tinynas.errors import InputError
from tinynas.search.explore import check_latency

ROOT = Path(__file__).resolve().parents[3]
MEAN_ERROR, WORST_ERROR = 0.05, 0.15
"""That a model may have on networks which it was not fitted to."""
MEAN_ERROR_4_BITS = {"cortex-m55": 0.07}
"""Where it is not MEAN_ERROR: the M55 has a Helium or a DSP body for a 4-bit layer, depending on its formats."""

PACKED = calibrate.network_names(4, 2)
"""Networks of 4 bits, one of each format."""
sample = cache(calibrate.network_named)

needs_tools = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)


def committed(core: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((configs_dir("latency") / f"{core}.json").read_text())
    return value


def predicted(graph: _core.Graph, plan: str, core: str) -> float:
    """Instructions that the oracle gives for one of the calibration's plans."""
    prefer = _core.Prefer.memory if plan == "memory" else _core.Prefer.speed
    options = _core.ScheduleOptions(prefer=prefer, **latency.kernels_of(core))
    return float(
        _core.make_oracle("layerwise" if plan == "layerwise" else "streaming", options).cost(graph).instructions
    )


@pytest.mark.parametrize("core", latency.measured_cores())
def test_committed_models_reproduce_what_was_measured(core: str) -> None:
    model = committed(core)
    assert model["held_out_error"]["mean"] <= MEAN_ERROR
    assert model["held_out_error"]["worst"] <= WORST_ERROR
    if "held_out_error_4_bits" in model:  # the worst have kernels that hardly another network has
        assert model["held_out_error_4_bits"]["mean"] <= MEAN_ERROR_4_BITS.get(core, MEAN_ERROR)
    errors = []
    for name, instructions in model["measured"].items():
        network, plan = name.split(", ")
        if len(network.split()) == 2 or network in PACKED:
            errors.append(abs(predicted(sample(network), plan, core) / instructions - 1))
    assert len(errors) >= 9
    assert max(errors) <= WORST_ERROR
    assert sum(errors) / len(errors) <= MEAN_ERROR


@needs_tools
@pytest.mark.parametrize("core", ["cortex-m7", "cortex-m55"])
def test_a_network_of_another_kind_is_predicted(core: str, tmp_path: Path) -> None:
    """small_network is none of those that the models were fitted to."""
    graph = small_network(2)
    run = calibrate.measure("small", graph, "speed", core, tmp_path)
    assert predicted(graph, "speed", core) == pytest.approx(run.instructions, rel=WORST_ERROR)
    assert 0 < run.between < 0.2 * run.instructions


def test_the_sizes_that_cpp_tests_read_are_the_networks() -> None:
    stored = (ROOT / "tests/cpp/oracle/mixed_0.json").read_text()
    assert json.loads(stored) == json.loads(sizes_only(mixed_network(0)))


def test_a_broken_model_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cortex-m4.json").write_text('{"core": "cortex-m4"}')
    monkeypatch.setattr(latency, "configs_dir", lambda kind: tmp_path)
    latency.latency_model.cache_clear()
    with pytest.raises(InputError, match=r"cortex-m4\.json"):
        latency.latency_model("cortex-m4")
    assert latency.latency_model("cortex-m7") is None
    latency.latency_model.cache_clear()


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
    factor = committed("cortex-m7")["cycles_per_instruction"]
    assert f746["latency_us"] == pytest.approx(f746["instructions"] * factor / 216, rel=1e-3)
    assert reports["rp2040"]["latency_us"] is None


def test_a_search_can_limit_the_latency_of_our_engine() -> None:
    space, board = load_space("scenes").to_core(), load_target("stm32f746")
    options = _core.ScheduleOptions(prefer=_core.Prefer.speed, **latency.kernels_of(board.core, board.clock_hz))
    oracle = _core.make_oracle("streaming", options)
    check_latency(space, oracle)
    limits = _core.Limits(latency_us=4_000)
    result = _core.stage1(space, oracle, limits, samples=10, seed=1)
    assert 0 < sum(s.satisfying for s in result.subspaces) < 10 * len(result.subspaces)
    settings = _core.SearchOptions(population=6, parents=2, crossovers=2, mutations=2, generations=1, seed=1)
    found = _core.make_searcher("evolution", space, oracle, limits, settings).ask()
    assert len(found) == 6
    assert all(0 < candidate.score.latency_us <= 4_000 for candidate in found)
    with pytest.raises(InputError, match="--target"):
        check_latency(space, _core.make_oracle("streaming"))
