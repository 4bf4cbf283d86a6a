"""Stage 2 with a stand-in for the supernet: better than random, deterministic, and the same after an interruption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import tinynas._core as _core

from tinynas.config.search import Budget, EvolutionConfig, PredictorConfig, SearchConfig
from tinynas.config.space import load_space
from tinynas.errors import InfeasibleError, InputError
from tinynas.search.evolve import Found, Problem, _Knowledge, evolve, random_search, search
from tinynas.search.explore import check_latency, explore, limits_of
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

    def each(self, archs: Sequence[dict[str, Any]]) -> Iterator[tuple[int, float]]:
        for index, arch in enumerate(archs):
            yield index, self._accuracy(arch)

    def _accuracy(self, arch: dict[str, Any]) -> float:
        if self.calls == self._stop_after:
            raise StoppedError
        self.calls += 1
        used = sum(arch["kernels"]) + 3 * sum(arch["expansions"]) + 5 * sum(arch["depths"])
        return 0.5 + used / 1000


def problem(folder: Path, evaluator: MadeUp, seed: int = 0, **config: Any) -> Problem:
    space = load_space("scenes").subspace(64, 0.5).to_core()
    oracle = _core.make_oracle("streaming")
    limits = limits_of(Budget(sram_bytes=16 * 1024, flash_bytes=64 * 1024))
    return Problem(
        space,
        oracle,
        limits,
        Measurements(folder / "measured.jsonl", evaluator),
        CONFIG.model_copy(update=config),
        seed,
    )


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
        explore(load_space("scenes").to_core(), _core.make_oracle("streaming"), limits, 20, 0)


@pytest.mark.parametrize("searcher", ["random", "regularized-evolution"])
def test_the_baselines_measure_as_many_subnets(tmp_path: Path, searcher: str) -> None:
    evaluator = MadeUp()
    found = search(problem(tmp_path, evaluator, searcher=searcher), JsonLines(tmp_path / "history.jsonl"))
    assert evaluator.calls == CONFIG.measurements
    assert found.winner["accuracy"] == max(e["accuracy"] for e in JsonLines(tmp_path / "measured.jsonl"))


def test_pareto_mode_keeps_the_front_and_its_hypervolume(tmp_path: Path) -> None:
    objectives = ("sram", "flash", "macs")
    found = search(problem(tmp_path, MadeUp(), objectives=objectives), JsonLines(tmp_path / "history.jsonl"))
    measured = [e for e in JsonLines(tmp_path / "history.jsonl") if e["accuracy"] is not None]
    keys = ("sram_bytes", "flash_bytes", "macs")
    networks = found.front["networks"]
    for network in networks:
        assert not any(
            other["accuracy"] > network["accuracy"] and all(other[key] <= network[key] for key in keys)
            for other in measured
        )
    assert found.winner["accuracy"] == max(network["accuracy"] for network in networks)
    assert len({network["sram_bytes"] for network in networks}) > 2
    volumes = found.front["hypervolume"]
    assert len(volumes) == len(measured)
    assert volumes == sorted(volumes)
    assert 0 < volumes[0] < volumes[-1] < 1


def test_joint_mode_searches_resolutions_and_widths(tmp_path: Path) -> None:
    one = problem(tmp_path, MadeUp())
    one.space = load_space("scenes").to_core()
    search(one, JsonLines(tmp_path / "history.jsonl"))
    archs = [e["arch"] for e in JsonLines(tmp_path / "history.jsonl") if e["predicted"] is not None]
    assert len({arch["resolution"] for arch in archs}) > 1
    assert len({arch["width"] for arch in archs}) > 1


def test_half_of_what_is_bought_is_where_the_predictor_is_unsure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought: list[list[float]] = []
    buy = _Knowledge.buy

    def watched(self: Any, history: Any, count: int, generation: int) -> None:
        left = self._unknown(history)
        spreads = [p.spread for p in self.predict([c.arch for c in left])]
        before = len(self.measured)
        buy(self, history, count, generation)
        names = [c.arch.to_json() for c in self._candidates[before:]]
        bought.append([spreads[[c.arch.to_json() for c in left].index(name)] for name in names])

    monkeypatch.setattr(_Knowledge, "buy", watched)
    run(tmp_path, MadeUp())
    chosen, *_ = bought
    assert len(chosen) == CONFIG.predictor.recheck
    assert sum(chosen[3:]) > sum(chosen[:3])


def test_a_latency_limit_without_a_model_is_refused() -> None:
    with pytest.raises(InputError, match="no latency model"):
        check_latency(load_space("scenes").to_core(), _core.make_oracle("streaming"))
    check_latency(load_space("scenes").to_core(), _core.make_oracle("tinyengine"))


def test_the_largest_network_is_measured_where_it_fits(tmp_path: Path) -> None:
    loose = problem(tmp_path, MadeUp())
    loose.limits = limits_of(Budget(sram_bytes=1 << 20, flash_bytes=1 << 24))
    found = evolve(loose, JsonLines(tmp_path / "history.jsonl"))
    largest = _core.largest(loose.space, 64, 0.5)
    assert found.winner["macs"] == _core.score(loose.space, loose.oracle, largest).macs
    assert len(JsonLines(tmp_path / "measured.jsonl")) <= CONFIG.measurements
