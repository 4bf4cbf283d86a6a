"""Stage 2 with a stand-in for the supernet: better than random, deterministic, and the same after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tinynas._core as _core

from tinynas.config.search import Budget, EvolutionConfig, PredictorConfig, SearchConfig
from tinynas.config.space import load_space
from tinynas.errors import InfeasibleError
from tinynas.search.evolve import Found, Problem, evolve, random_search
from tinynas.search.explore import explore, limits_of
from tinynas.search.measure import Measurements
from tinynas.search.run_dir import JsonLines

CONFIG = SearchConfig(
    predictor=PredictorConfig(pairs=24, recheck=6, rounds=1),
    evolution=EvolutionConfig(population=30, parents=8, crossovers=15, mutations=15, generations=6),
    finalists=4,
)


class StoppedError(Exception):
    """Stands for a kill."""


class MadeUp:
    """An accuracy that grows with kernels and expansions; optionally stops after some calls."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.calls = 0
        self._stop_after = stop_after

    def accuracy(self, arch: dict[str, Any]) -> float:
        if self.calls == self._stop_after:
            raise StoppedError
        self.calls += 1
        used = sum(arch["kernels"]) + 3 * sum(arch["expansions"]) + 5 * sum(arch["depths"])
        return 0.5 + used / 1000


def problem(folder: Path, evaluator: MadeUp, seed: int = 0) -> Problem:
    space = load_space("scenes").subspace(64, 0.5).to_core()
    oracle = _core.make_oracle("streaming")
    limits = limits_of(Budget(sram_bytes=16 * 1024, flash_bytes=64 * 1024))
    return Problem(space, oracle, limits, Measurements(folder / "measured.jsonl", evaluator), CONFIG, seed)


def run(folder: Path, evaluator: MadeUp, seed: int = 0) -> Found:
    folder.mkdir(exist_ok=True)
    return evolve(problem(folder, evaluator, seed), JsonLines(folder / "history.jsonl"))


def test_everything_measured_or_predicted_fits_the_budget(tmp_path: Path) -> None:
    found = run(tmp_path, MadeUp())
    history = JsonLines(tmp_path / "history.jsonl").values
    assert len(history) > 100
    assert all(e["sram_bytes"] <= 16 * 1024 and e["flash_bytes"] <= 64 * 1024 for e in history)
    assert found.winner["accuracy"] == max(e["accuracy"] for e in history if e["accuracy"] is not None)


def test_evolution_beats_random_search_at_equal_measurements(tmp_path: Path) -> None:
    evaluator = MadeUp()
    found = run(tmp_path / "evolution", evaluator)
    (tmp_path / "random").mkdir()
    other = problem(tmp_path / "random", MadeUp())
    baseline = random_search(other, JsonLines(tmp_path / "random" / "history.jsonl"), evaluator.calls)
    assert found.winner["accuracy"] > baseline.winner["accuracy"]


@pytest.mark.parametrize("stop_after", [5, 24, 27, 33])
def test_an_interrupted_search_ends_in_the_same_network(tmp_path: Path, stop_after: int) -> None:
    whole = run(tmp_path / "whole", MadeUp())
    with pytest.raises(StoppedError):
        run(tmp_path / "cut", MadeUp(stop_after))
    rest = MadeUp()
    resumed = run(tmp_path / "cut", rest)
    assert resumed.winner == whole.winner
    assert (tmp_path / "cut/history.jsonl").read_text() == (tmp_path / "whole/history.jsonl").read_text()
    assert rest.calls == len(JsonLines(tmp_path / "whole/measured.jsonl")) - stop_after


def test_a_line_cut_off_by_a_kill_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "values.jsonl"
    file.write_text('{"a": 1}\n{"a": 2}\n{"a"')
    lines = JsonLines(file)
    lines.append({"a": 3})
    assert [value["a"] for value in JsonLines(file)] == [1, 2, 3]


def test_infeasible_says_what_the_space_can_reach() -> None:
    limits = limits_of(Budget(sram_bytes=1024))
    with pytest.raises(InfeasibleError, match=r"SRAM 1,024.*least SRAM: [\d,]+ B SRAM"):
        explore(load_space("scenes"), _core.make_oracle("streaming"), limits, 20, 0)
