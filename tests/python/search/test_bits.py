"""Formats of blocks: uniform ones, and mixed ones chosen by what is measured."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import tinynas._core as _core

from tinynas.config.space import load_space
from tinynas.errors import InfeasibleError
from tinynas.search.bits import Bits, blocks_of, formats_of, mixed_formats


@pytest.fixture(scope="module")
def sizes() -> _core.Graph:
    space = load_space("scenes").to_core()
    return _core.build_graph(space, _core.sample(space, 48, 0.5, _core.Rng(1)))


def test_ends_stay_at_eight_bits(sizes: _core.Graph) -> None:
    formats = formats_of(sizes, Bits.four)
    weighted = [i for block in blocks_of(sizes) for i in block]
    assert formats[weighted[0]] == formats[weighted[-1]] == "w8a8"
    assert {formats[i] for i in weighted[1:-1]} == {"w4a4"}


def test_the_oracle_counts_packed_weights_and_tensors(sizes: _core.Graph) -> None:
    plain = _core.make_oracle("streaming", _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed))
    costs = {form: _core.in_format(plain, form).cost(sizes) for form in ("w8a8", "w4a8", "w4a4")}
    assert costs["w4a8"].flash_bytes < costs["w8a8"].flash_bytes
    assert costs["w4a8"].activation_bytes == costs["w8a8"].activation_bytes
    assert costs["w4a4"].activation_bytes < 0.65 * costs["w8a8"].activation_bytes
    assert costs["w4a4"].flash_bytes == costs["w4a8"].flash_bytes
    half = _core.make_oracle("layerwise").cost(_core.in_four_bits(sizes))
    assert half.act_bytes == _core.make_oracle("layerwise").cost(sizes).act_bytes // 2


def test_blocks_are_widened_where_it_measures_best_while_it_fits(sizes: _core.Graph) -> None:
    blocks = [block for block in blocks_of(sizes) if formats_of(sizes, Bits.four)[block[0]] != "w8a8"]

    def widened(formats: Sequence[str]) -> int:
        return sum({"w4a4": 0, "w4a8": 1, "w8a8": 2}[formats[block[0]]] for block in blocks)

    def accuracy(formats: Sequence[str]) -> float:
        return 0.5 + 0.01 * widened(formats) + 0.1 * (formats[blocks[2][0]] != "w4a4")

    found = mixed_formats(sizes, lambda formats: widened(formats) <= 3, accuracy)
    assert widened(found) == 3
    assert found[blocks[2][0]] != "w4a4"


def test_what_does_not_fit_at_all_is_an_answer(sizes: _core.Graph) -> None:
    with pytest.raises(InfeasibleError, match="4 bits"):
        mixed_formats(sizes, lambda _: False, lambda _: 1.0)
