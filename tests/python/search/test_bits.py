"""Formats as genes of a search, with a stand-in for the supernet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tinynas._core as _core
from test_evolve import CONFIG, MadeUp, StoppedError

from tinynas.config.search import Budget, PredictorConfig
from tinynas.config.space import load_space
from tinynas.search.bits import Bits, uniform_formats, with_bits, without_formats
from tinynas.search.evolve import Found, Problem, evolve
from tinynas.search.explore import limits_of
from tinynas.search.measure import Measurements
from tinynas.search.run_dir import JsonLines

SPACE = load_space("scenes").subspace(64, 0.5)
QUICK = CONFIG.model_copy(update={"predictor": PredictorConfig(pairs=24, recheck=6, rounds=1, quantised=12)})
LIMITS = Budget(sram_bytes=12 * 1024, flash_bytes=24 * 1024)
LOSS = {"w8a8": 0.0, "w4a8": 0.0005, "w4a4": 0.002}


class Rounded(MadeUp):
    """Expansions of the blocks in use are worth most; formats cost a little; networks without formats are float."""

    def _accuracy(self, arch: dict[str, Any]) -> float:
        super()._accuracy(arch)  # counts, and stops
        worth, first = 0.0, 0
        for depth, stage in zip(arch["depths"], SPACE.stages, strict=True):
            used = slice(first, first + depth)
            worth += sum(arch["kernels"][used]) + 5 * sum(arch["expansions"][used])
            first += stage.depths[-1]
        return 0.5 + worth / 1000 - sum(LOSS[form] for form in arch.get("formats", []))


def run(folder: Path, bits: Bits, evaluator: MadeUp | None = None) -> Found:
    folder.mkdir(exist_ok=True)
    space = with_bits(SPACE, bits)
    oracle = _core.make_oracle("streaming", _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed))
    measurements = Measurements(folder / "measured.jsonl", evaluator or Rounded())
    return evolve(
        Problem(space, oracle, limits_of(LIMITS), measurements, QUICK, 0), JsonLines(folder / "history.jsonl")
    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Found]:
    folder = tmp_path_factory.mktemp("mixed")
    return folder, run(folder, Bits.mixed)


def test_a_mixed_network_beats_an_int8_one_where_flash_binds(tmp_path: Path, mixed: tuple[Path, Found]) -> None:
    winner, eight = mixed[1].winner, run(tmp_path, Bits.eight)
    assert winner["accuracy"] > eight.winner["accuracy"]
    assert set(winner["arch"]["formats"]) & {"w4a8", "w4a4"}
    loss = sum(LOSS[form] for form in winner["arch"]["formats"])
    assert winner["float_accuracy"] - winner["accuracy"] == pytest.approx(loss)
    history = JsonLines(mixed[0] / "history.jsonl").values
    assert all(e["sram_bytes"] <= LIMITS.sram_bytes and e["flash_bytes"] <= LIMITS.flash_bytes for e in history)
    quantised = [e for e in history if e["kind"] == "quantised"]
    assert winner["accuracy"] == max(e["accuracy"] for e in quantised)
    assert len(quantised) < sum(e["kind"] == "measured" for e in history)


def test_uniform_bits_are_those_of_every_block(tmp_path: Path) -> None:
    assert set(run(tmp_path, Bits.w4a8).winner["arch"]["formats"]) == {"w4a8"}


def test_an_interrupted_search_over_bits_ends_in_the_same_network(tmp_path: Path, mixed: tuple[Path, Found]) -> None:
    with pytest.raises(StoppedError):
        run(tmp_path, Bits.mixed, Rounded(30))
    assert run(tmp_path, Bits.mixed).winner == mixed[1].winner
    assert (tmp_path / "history.jsonl").read_text() == (mixed[0] / "history.jsonl").read_text()


def test_the_oracle_counts_packed_weights_and_tensors() -> None:
    space = with_bits(load_space("scenes"), Bits.mixed)
    arch = _core.sample(space, 48, 0.5, _core.Rng(1))
    oracle = _core.make_oracle("streaming", _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed))

    def score(form: str) -> _core.Score:
        return _core.score(space, oracle, arch.with_formats([form] * (len(arch.kernels) + 2)))

    eight, weights, four = score("w8a8"), score("w4a8"), score("w4a4")
    assert weights.flash_bytes < eight.flash_bytes
    assert weights.sram_bytes == eight.sram_bytes
    assert four.sram_bytes < 0.65 * eight.sram_bytes
    adds = sum(operator.kind == "add" for operator in _core.build_graph(space, arch).operators)
    assert four.flash_bytes == weights.flash_bytes + 256 * adds  # of 4-bit maps: a table of all pairs
    assert _core.score(space, oracle, arch.with_formats([])).flash_bytes == eight.flash_bytes
    graph = _core.build_graph(space, arch.with_formats([]))
    half = _core.make_oracle("layerwise").cost(_core.in_four_bits(graph))
    assert half.act_bytes == _core.make_oracle("layerwise").cost(graph).act_bytes // 2


def test_uniform_formats_are_those_of_the_genes() -> None:
    space = with_bits(load_space("scenes"), Bits.four)
    arch = _core.smallest(space, 48, 0.5)
    graph = _core.build_graph(space, arch.with_formats([]))
    genes, uniform = _core.operator_formats(space, arch), uniform_formats(graph, Bits.four)
    kinds = ("conv2d", "depthwise_conv2d", "fully_connected")
    weighted = [i for i, op in enumerate(graph.operators) if op.kind in kinds]
    assert [genes[i] for i in weighted] == [uniform[i] for i in weighted]
    assert without_formats({"width": 1.0, "formats": ["w4a4"]}) == {"width": 1.0}
