"""Stage 1, searchers and predictor through the bindings: threads, callbacks, errors, states."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tinynas._core as core

from tinynas.config.space import load_space
from tinynas.errors import InputError

LIMITS = core.Limits(sram_bytes=60_000, flash_bytes=60_000)


@pytest.fixture(scope="module")
def space() -> Any:
    return load_space("scenes").to_core()


@pytest.fixture(scope="module")
def oracle() -> Any:
    return core.make_oracle("tinyengine")


def accuracy(arch: Any) -> float:
    return float(sum(arch.depths) + 0.1 * sum(arch.kernels) + 0.01 * arch.resolution + arch.width)


def options(**changes: Any) -> Any:
    sizes = {"population": 20, "parents": 5, "crossovers": 10, "mutations": 10, "generations": 3, "seed": 1}
    return core.SearchOptions(**sizes | changes)


def test_stage1_reports_progress_and_a_winner(space: Any, oracle: Any) -> None:
    seen: list[tuple[int, int]] = []
    result = core.stage1(space, oracle, LIMITS, samples=30, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 16) for i in range(1, 17)]
    assert len(result.subspaces) == 16
    winner = result.subspaces[result.winner]
    assert winner.mean_flops == max(s.mean_flops for s in result.subspaces if s.satisfying >= 10)
    assert winner.mean_flops == pytest.approx(np.mean(winner.flops))


def test_stage1_stops_when_told_and_passes_errors_on(space: Any, oracle: Any) -> None:
    with pytest.raises(InputError, match="stopped"):
        core.stage1(space, oracle, LIMITS, samples=5, progress=lambda *_: False)

    def broken(*_: int) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        core.stage1(space, oracle, LIMITS, samples=5, progress=broken)


def test_smallest_footprint_of_an_infeasible_budget(space: Any, oracle: Any) -> None:
    limits = core.Limits(sram_bytes=1024)
    assert core.stage1(space, oracle, limits, samples=10).winner is None
    least = core.smallest_footprint(space, oracle, limits)
    assert least.least_sram.score.sram_bytes > 1024
    assert not core.fits(least.closest.score, limits)


@pytest.mark.parametrize("limit", [{"sram_bytes": 0}, {"macs": -5}, {"latency_us": float("nan")}])
def test_limits_must_be_positive(limit: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(limit))):
        core.Limits(**limit)


def test_batch_scores_equal_single_ones(space: Any, oracle: Any) -> None:
    rng = core.Rng(0)
    archs = [core.sample(space, 64, 0.5, rng) for _ in range(20)]
    batch = core.score_batch(space, oracle, archs)
    for i, arch in enumerate(archs):
        cost = oracle.cost(core.build_graph(space, arch))
        assert batch["sram_bytes"][i] == cost.sram_bytes == core.score(space, oracle, arch).sram_bytes
        assert batch["flash_bytes"][i] == cost.flash_bytes
        assert batch["macs"][i] == cost.macs


@pytest.mark.parametrize("name", core.searcher_names())
def test_searchers_resume_from_json(space: Any, oracle: Any, name: str) -> None:
    def run(restart: bool) -> Any:
        searcher = core.make_searcher(name, space, oracle, LIMITS, options())
        while candidates := searcher.ask():
            if restart:
                state = searcher.to_json()
                searcher = core.make_searcher(name, space, oracle, LIMITS, options())
                searcher.restore(state)
            searcher.tell([accuracy(c.arch) for c in candidates])
        return searcher

    whole, interrupted = run(False), run(True)
    assert json.loads(whole.to_json()) == json.loads(interrupted.to_json())
    assert whole.best.accuracy == max(accuracy(c.arch) for c in whole.history)
    assert all(core.fits(c.score, LIMITS) for c in whole.history)


def test_a_searcher_keeps_its_oracle(space: Any) -> None:
    searcher = core.Evolution(space, core.make_oracle("tinyengine"), LIMITS, options())
    assert len(searcher.ask()) == 20


def test_a_searcher_needs_an_oracle(space: Any) -> None:
    with pytest.raises(InputError, match="oracle"):
        core.Evolution(space, None, LIMITS, options())


def test_predictor_learns_and_survives_json(space: Any) -> None:
    rng = core.Rng(5)
    archs = [core.sample(space, r, w, rng) for _ in range(10) for r in (48, 96) for w in (0.25, 0.5, 1.0)]
    values = [accuracy(a) for a in archs]
    predictor = core.Predictor(space, core.PredictorOptions(hidden=[64, 64], seed=2))
    report = predictor.fit(archs, values)
    assert report.pairs == 60
    assert report.kendall_tau > 0.6
    assert report.rmse < report.mean_rmse
    again = core.Predictor.from_json(predictor.to_json())
    fresh = [core.sample(space, 64, 0.5, rng) for _ in range(5)]
    before, after = predictor.predict(fresh), again.predict(fresh)
    assert [p.accuracy for p in before] == [p.accuracy for p in after]
    assert all(p.spread > 0 for p in before)
    with pytest.raises(InputError):
        predictor.fit(archs[:4], values[:4])


def test_hypervolume_and_front() -> None:
    points = [[0.0, 2.0], [1.0, 1.0], [2.0, 0.0], [2.0, 2.0]]
    assert core.pareto_front(points) == [0, 1, 2]
    assert core.hypervolume(points, [3.0, 3.0]) == pytest.approx(6.0)
    assert core.kendall_tau([1, 2, 3], [1, 2, 3]) == pytest.approx(1.0)
