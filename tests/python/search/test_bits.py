"""Formats as genes of a search, with a stand-in for the supernet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tinynas._core as _core
from test_evolve import CONFIG, MadeUp, StoppedError

from tinynas.config.search import Budget
from tinynas.config.space import load_space
from tinynas.search.bits import Bits, uniform_formats, with_bits, without_formats
from tinynas.search.evolve import Found, Problem, evolve
from tinynas.search.explore import limits_of
from tinynas.search.measure import Measurements
from tinynas.search.run_dir import JsonLines

LIMITS = Budget(sram_bytes=12 * 1024, flash_bytes=24 * 1024)
LOSS = {"w8a8": 0.0, "w4a8": 0.001, "w4a4": 0.004}


class Rounded(MadeUp):
    """Formats cost a little, block by block; networks without formats are float."""

    def _accuracy(self, arch: dict[str, Any]) -> float:
        return super()._accuracy(arch) - sum(LOSS[form] for form in arch.get("formats", []))


def run(folder: Path, bits: Bits, evaluator: MadeUp | None = None) -> Found:
    folder.mkdir(exist_ok=True)
    space = with_bits(load_space("scenes").subspace(64, 0.5), bits)
    oracle = _core.make_oracle("streaming", _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed))
    measurements = Measurements(folder / "measured.jsonl", evaluator or Rounded())
    return evolve(
        Problem(space, oracle, limits_of(LIMITS), measurements, CONFIG, 0), JsonLines(folder / "history.jsonl")
    )


def test_a_mixed_network_beats_an_int8_one_where_flash_binds(tmp_path: Path) -> None:
    mixed, eight = run(tmp_path / "mixed", Bits.mixed), run(tmp_path / "eight", Bits.eight)
    winner = mixed.winner
    assert winner["accuracy"] > eight.winner["accuracy"]
    assert set(winner["arch"]["formats"]) & {"w4a8", "w4a4"}
    loss = sum(LOSS[form] for form in winner["arch"]["formats"])
    assert winner["float_accuracy"] - winner["accuracy"] == pytest.approx(loss)
    history = JsonLines(tmp_path / "mixed/history.jsonl").values
    assert all(e["sram_bytes"] <= LIMITS.sram_bytes and e["flash_bytes"] <= LIMITS.flash_bytes for e in history)
    quantised = [e for e in history if e["kind"] == "quantised"]
    assert winner["accuracy"] == max(e["accuracy"] for e in quantised)
    assert len(quantised) < sum(e["kind"] == "measured" for e in history) + CONFIG.predictor.quantised


@pytest.mark.parametrize(("bits", "form"), [(Bits.four, "w4a4"), (Bits.w4a8, "w4a8")])
def test_uniform_bits_are_those_of_every_block(tmp_path: Path, bits: Bits, form: str) -> None:
    assert set(run(tmp_path, bits).winner["arch"]["formats"]) == {form}


def test_an_interrupted_search_over_bits_ends_in_the_same_network(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Bits.mixed)
    with pytest.raises(StoppedError):
        run(tmp_path / "cut", Bits.mixed, Rounded(40))
    assert run(tmp_path / "cut", Bits.mixed).winner == whole.winner
    assert (tmp_path / "cut/history.jsonl").read_text() == (tmp_path / "whole/history.jsonl").read_text()


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
    assert four.flash_bytes == weights.flash_bytes
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
