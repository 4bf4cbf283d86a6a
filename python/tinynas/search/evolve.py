"""Stage 2: a searcher under the oracle; a predictor, fitted to subnets measured through the supernet, gives accuracies.

Everything follows from the seed and the measurements, and those are kept (measure.py): a search that was killed runs
again through the same steps, quickly, to where it was, and ends in the same network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tinynas.config.search import SearchConfig
from tinynas.errors import InfeasibleError
from tinynas.search.explore import why_infeasible
from tinynas.search.front import front_of, spread_front
from tinynas.search.measure import Measurements, arch_key
from tinynas.search.run_dir import JsonLines

if TYPE_CHECKING:
    import tinynas._core as _core

_LOSS_HIDDEN = [32]
"""Layers of the network that predicts what formats take: few pairs, of which the linear part takes most."""

Advance = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass
class Problem:
    """What is searched: a subspace, its costs and limits, and how accuracy is measured.

    Where blocks choose formats, `measurements` give accuracies of quantised subnets for archs with formats.
    """

    space: _core.SearchSpace
    oracle: _core.Oracle
    limits: _core.Limits
    measurements: Measurements
    config: SearchConfig
    seed: int


@dataclass(frozen=True)
class Found:
    """The winner and how well the predictor ranked."""

    winner: dict[str, Any]
    """arch, accuracy (a fraction, through the supernet), sram_bytes, flash_bytes, macs; of a quantised subnet also
    float_accuracy."""
    predictor: dict[str, Any]
    finalists: list[dict[str, Any]]
    front: dict[str, Any] = field(default_factory=dict)
    """Pareto mode: see front_of."""


def search(problem: Problem, history: JsonLines, advance: Advance = lambda *_: None) -> Found:
    """The search that the config asks for. Appends every candidate to `history`, once over all resumptions."""
    if problem.config.searcher == "random":
        return random_search(problem, history, problem.config.measurements, advance)
    return evolve(problem, history, advance)


def evolve(problem: Problem, history: JsonLines, advance: Advance = lambda *_: None) -> Found:
    """Evolution or regularised evolution over predicted accuracies.

    Between generations the search buys measurements: of the best predicted candidates, and of those among the promising
    ones where the predictor is least sure.
    """
    import tinynas._core as _core

    log = _History(history)
    knowledge = _Knowledge(problem, log, advance)
    knowledge.measure_random(problem.config.predictor.pairs, problem.config.predictor.quantised, _extremes(problem))
    if not knowledge.can_predict:  # so few networks fit that all of them have been measured
        return knowledge.best(len(knowledge.measured))
    searcher = _core.make_searcher(
        problem.config.searcher, problem.space, problem.oracle, problem.limits, _options(problem)
    )
    rounds = problem.config.predictor.rounds
    bought = generation = 0
    while candidates := searcher.ask():
        predicted = [prediction.accuracy for prediction in knowledge.predict([c.arch for c in candidates])]
        searcher.tell(predicted)
        log.write("predicted", generation, candidates, predicted)
        generation += 1
        advance("evolution", len(searcher.history), searcher.measurements)
        if bought < rounds and len(searcher.history) * (rounds + 1) >= (bought + 1) * searcher.measurements:
            bought += 1
            knowledge.buy(searcher.history, problem.config.predictor.recheck, generation)
    return knowledge.finals(searcher.history, problem.config.finalists, generation)


def random_search(problem: Problem, history: JsonLines, measurements: int, advance: Advance = lambda *_: None) -> Found:
    """The baseline: the best of `measurements` random networks that fit, all measured."""
    knowledge = _Knowledge(problem, _History(history), advance)
    knowledge.measure_random(measurements, measurements)
    return knowledge.best(1)


def _options(problem: Problem) -> _core.SearchOptions:
    import tinynas._core as _core

    evolution = problem.config.evolution
    return _core.SearchOptions(
        population=evolution.population,
        parents=evolution.parents,
        crossovers=evolution.crossovers,
        mutations=evolution.mutations,
        mutation_probability=evolution.mutation_probability,
        generations=evolution.generations,
        seed=problem.seed,
        objectives=list(problem.config.objectives),
    )


class _History:
    """Writes candidates once: the first entries of a repeated run are those that the file holds already."""

    def __init__(self, file: JsonLines) -> None:
        self._file = file
        self._written = 0

    def write(self, kind: str, generation: int, candidates: Sequence[Any], accuracies: Sequence[float]) -> None:
        entries = [
            {
                "kind": kind,
                "generation": generation,
                "arch": json.loads(candidate.arch.to_json()),
                "accuracy": accuracy if kind != "predicted" else None,
                "predicted": accuracy if kind == "predicted" else None,
                "sram_bytes": candidate.score.sram_bytes,
                "flash_bytes": candidate.score.flash_bytes,
                "macs": candidate.score.macs,
                "latency_us": candidate.score.latency_us,
            }
            for candidate, accuracy in zip(candidates, accuracies, strict=True)
        ]
        start = self._written
        self._written += len(entries)
        self._file.append(*entries[max(0, len(self._file) - start) :])


@dataclass(frozen=True)
class Candidate:
    """As a searcher's candidates."""

    arch: Any
    score: Any


def _extremes(problem: Problem) -> list[Candidate]:
    """The largest and the smallest network, where they fit: under a loose budget the largest is hard to beat, and no
    random drawing finds it. None where blocks choose formats."""
    import tinynas._core as _core

    space, side, width = problem.space, max(problem.space.resolutions), problem.space.widths
    if space.formats != ["w8a8"]:
        return []
    ends = (_core.largest(space, side, max(width)), _core.smallest(space, min(space.resolutions), min(width)))
    scored = [Candidate(arch, _core.score(space, problem.oracle, arch)) for arch in ends]
    return [candidate for candidate in scored if _core.fits(candidate.score, problem.limits)]


@dataclass(frozen=True)
class _Predicted:
    """Accuracy (a fraction), and how far the predictor's members differ about it."""

    accuracy: float
    spread: float


class _Knowledge:
    """Measured subnets and the predictors fitted to them: of the float subnets' accuracies and, where blocks choose
    formats, of what the formats take from them."""

    def __init__(self, problem: Problem, log: _History, advance: Advance) -> None:
        self._problem = problem
        self._log = log
        self._advance = advance
        self._candidates: list[Any] = []
        self._accuracies: list[float] = []
        self._quantised: dict[int, float] = {}
        """Accuracies after quantisation, by place among the candidates."""
        self._has_formats = problem.space.formats != ["w8a8"]
        self._predictor: Any = None
        self._loss: Any = None

    @property
    def can_predict(self) -> bool:
        return self._predictor is not None and (self._loss is not None or not self._has_formats)

    @property
    def measured(self) -> list[dict[str, Any]]:
        """What a winner is chosen from: where blocks choose formats, the subnets measured in theirs."""
        floats = list(zip(self._candidates, self._accuracies, strict=True))
        if not self._has_formats:
            return [entry_of(candidate, accuracy) for candidate, accuracy in floats]
        return [entry_of(floats[i][0], a) | {"float_accuracy": floats[i][1]} for i, a in self._quantised.items()]

    def measure_random(self, count: int, quantised: int, extremes: Sequence[Any] = ()) -> None:
        """Random networks within the limits, after the `extremes`, `count` in all, measured, `quantised` of them in
        their formats too; the predictors are fitted to them."""
        import tinynas._core as _core

        options = _core.SearchOptions(
            population=count, generations=1, crossovers=0, mutations=0, seed=self._problem.seed
        )
        problem = self._problem
        searcher = _core.make_searcher("random", problem.space, problem.oracle, problem.limits, options)
        drawn = [*extremes, *searcher.ask()][:count]
        self._measure(drawn, 0, "measuring subnets", quantised)
        self._fit()

    def buy(self, history: Sequence[Any], count: int, generation: int) -> None:
        """Measures `count` candidates, half of them the best predicted, half those of the best quarter where the
        predictor's members differ most; then fits to all that is known."""
        candidates = self._unknown(history)
        predictions = self.predict([candidate.arch for candidate in candidates])
        order = sorted(range(len(candidates)), key=lambda i: -predictions[i].accuracy)
        best = order[: count - count // 2]
        promising = order[len(best) : max(len(best) + count // 2, len(order) // 4)]
        unsure = sorted(promising, key=lambda i: -predictions[i].spread)[: count // 2]
        self._measure([candidates[i] for i in best + unsure], generation, "measuring the best and the unsure")
        self._fit()

    def predict(self, archs: Sequence[Any]) -> list[_Predicted]:
        """Of the networks in their formats."""
        if not self.can_predict:
            raise RuntimeError("predict before any measurement")
        floats = self._predictor.predict([arch.with_formats([]) for arch in archs])
        if not self._has_formats:
            return [_Predicted(p.accuracy, p.spread) for p in floats]
        losses = self._loss.predict(archs)
        return [_Predicted(p.accuracy - q.accuracy, p.spread + q.spread) for p, q in zip(floats, losses, strict=True)]

    def finals(self, history: Sequence[Any], count: int, generation: int) -> Found:
        """Measures the finalists, which are the best predicted candidates, or in Pareto mode a spread choice of the
        predicted front; the best of all that was measured wins."""
        candidates = self._unknown(history)
        accuracies = [p.accuracy for p in self.predict([candidate.arch for candidate in candidates])]
        if self._problem.config.objectives:
            chosen = spread_front(candidates, accuracies, self._problem.config.objectives, count)
        else:
            chosen = sorted(range(len(candidates)), key=lambda i: -accuracies[i])[:count]
        self._measure([candidates[i] for i in chosen], generation, "measuring the finalists")
        self._fit()
        return self.best(count)

    def best(self, finalists: int) -> Found:
        """The best measured network (of equals the one with less SRAM), and the last `finalists` measured."""
        entries = self.measured
        if not entries:
            raise InfeasibleError(why_infeasible(self._problem.space, self._problem.oracle, self._problem.limits))
        winner = max(entries, key=lambda entry: (entry["accuracy"], -entry["sram_bytes"]))
        return Found(winner, self._quality(), entries[-finalists:], front_of(entries, self._problem.config.objectives))

    def _unknown(self, history: Sequence[Any]) -> list[Any]:
        known = {arch_key(entry["arch"]) for entry in self.measured}
        return [c for c in history if arch_key(json.loads(c.arch.to_json())) not in known]

    def _quality(self) -> dict[str, Any]:
        if self._predictor is None:
            return {}
        report = self._predictor.report
        return {
            "pairs": report.pairs,
            "kendall_tau": report.kendall_tau,
            "rmse": report.rmse,
            "rmse_of_the_mean": report.mean_rmse,
        }

    def _measure(self, candidates: list[Any], generation: int, title: str, quantised: int | None = None) -> None:
        """Accuracies of the float subnets and, of the first `quantised` (None: of all), in their formats."""
        first = len(self._candidates)
        accuracies = self._accuracies_of([candidate.arch.with_formats([]) for candidate in candidates], title)
        self._candidates += candidates
        self._accuracies += accuracies
        self._log.write("measured", generation, candidates, accuracies)
        if not self._has_formats:
            return
        chosen = candidates[:quantised]
        accuracies = self._accuracies_of([candidate.arch for candidate in chosen], f"{title}, quantised")
        self._quantised |= {first + i: accuracy for i, accuracy in enumerate(accuracies)}
        self._log.write("quantised", generation, chosen, accuracies)

    def _accuracies_of(self, points: Sequence[Any], title: str) -> list[float]:
        archs = [json.loads(point.to_json()) for point in points]
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            self._advance(title, done, len(archs))

        return self._problem.measurements.accuracies(archs, step)

    def _fit(self) -> None:
        import tinynas._core as _core

        if len(self._accuracies) < 8:
            return
        space, options = self._problem.space, _core.PredictorOptions(seed=self._problem.seed)
        predictor = _core.Predictor(space.with_formats(["w8a8"]), options)
        predictor.fit([candidate.arch.with_formats([]) for candidate in self._candidates], self._accuracies)
        self._predictor = predictor
        if len(self._quantised) < 8:
            return
        loss = _core.Predictor(space, _core.PredictorOptions(hidden=_LOSS_HIDDEN, seed=self._problem.seed))
        losses = [self._accuracies[i] - accuracy for i, accuracy in self._quantised.items()]
        loss.fit([self._candidates[i].arch for i in self._quantised], losses)
        self._loss = loss


def entry_of(candidate: Any, accuracy: float) -> dict[str, Any]:
    """A measured candidate as a JSON value."""
    score = candidate.score
    return {
        "arch": json.loads(candidate.arch.to_json()),
        "accuracy": accuracy,
        "sram_bytes": score.sram_bytes,
        "flash_bytes": score.flash_bytes,
        "macs": score.macs,
        "latency_us": score.latency_us,
    }
