"""Oracles over third-party files: published figures of TinyEngine and TFLM, and plans that pass the checker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

_core: Any = pytest.importorskip("tinynas._core")

from tinynas.models import load_model  # noqa: E402

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

# file: TensorFlow Lite Micro's arena, of which activations, metadata
TFLM = {
    "tinyengine/vww_int8_io.tflite": (219_716, 161_472, 58_244),
    "mlperf_tiny/kws_ref_model.tflite": (22_820, 16_000, 6_820),
    "mlperf_tiny/pretrainedResnet_quant.tflite": (54_996, 49_728, 5_268),
    "mlperf_tiny/vww_96_int8.tflite": (100_708, 73_728, 26_980),
}


def graph_of(file: str) -> Any:
    path = DATA / file
    if not path.is_file():
        pytest.skip("no reference data beside the checkout")
    return load_model(str(path))


@pytest.mark.parametrize("file", TFLM)
def test_tflm_activations_are_exact_and_arenas_within_two_percent(file: str) -> None:
    arena, activations, metadata = TFLM[file]
    cost = _core.make_oracle("tflm").cost(graph_of(file))
    assert cost.activation_bytes == activations
    assert cost.sram_bytes == pytest.approx(arena, rel=0.02)
    assert cost.scratch_bytes == pytest.approx(metadata, abs=200)


def test_tinyengine_is_exact_on_its_own_network() -> None:
    graph = graph_of("tinyengine/vww_int8_io.tflite")
    cost = _core.make_oracle("tinyengine").cost(graph)
    assert (cost.macs, cost.act_bytes) == (11_578_816, 96_000)
    assert (cost.activation_bytes, cost.scratch_bytes, cost.sram_bytes) == (89_600, 3_528 + 864, 93_992)
    assert cost.latency_us / 1000 == pytest.approx(51, rel=0.05)


def test_streaming_by_rows_needs_what_the_table_says() -> None:
    graph = graph_of("tinyengine/vww_int8_io.tflite")
    cost = _core.make_oracle("streaming").cost(graph)
    assert 10_200 < cost.activation_bytes <= 16_960
    assert cost.lower_bound_bytes == 10_200


@pytest.mark.parametrize("core", ["", "cortex-m7", "cortex-m55"])
def test_streaming_by_pixels_needs_what_the_table_says(core: str) -> None:
    graph = graph_of("tinyengine/vww_int8_io.tflite")
    for streamed, most in ((True, 12_300), (False, 21_300)):
        options = _core.ScheduleOptions(image_streamed=streamed, prefer=_core.Prefer.memory, core=core)
        assert _core.make_oracle("streaming", options).cost(graph).activation_bytes <= most


def test_patches_need_what_was_published() -> None:
    graph = graph_of("tinyengine/vww_int8_io.tflite")
    for percent, sram_bytes in ((0, 93_992), (2, 41_184), (66, 28_384)):
        cost = _core.make_oracle("patch", _core.ScheduleOptions(mac_budget_percent=percent)).cost(graph)
        assert cost.sram_bytes == sram_bytes
        assert cost.macs <= (1 + percent / 100) * graph.macs()


@pytest.mark.parametrize("file", TFLM)
@pytest.mark.parametrize("core", ["", "cortex-m7"])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("prefer", [_core.Prefer.memory, _core.Prefer.speed])
def test_streaming_plans_pass_the_checker(file: str, core: str, streamed: bool, prefer: Any) -> None:
    graph = graph_of(file)
    oracle = _core.make_oracle("streaming", _core.ScheduleOptions(image_streamed=streamed, prefer=prefer, core=core))
    plan = oracle.plan(graph)
    assert _core.check_plan(graph, plan, core) == []
    assert plan.arena_bytes == oracle.cost(graph).sram_bytes
    assert _core.Plan.from_json(plan.to_json()).to_dict() == plan.to_dict()


def test_errors_name_what_was_expected() -> None:
    from tinynas.errors import InputError

    with pytest.raises(InputError, match="streaming"):
        _core.make_oracle("tinyengin")
    with pytest.raises(InputError, match="cortex-m7"):
        _core.make_oracle("streaming", _core.ScheduleOptions(core="z80"))
    with pytest.raises(InputError, match="plan"):
        _core.Plan.from_json("{}")


def test_mobilenet_v2_at_full_size() -> None:
    from tinynas.config.space import load_space

    space = load_space("mobilenetv2").to_core()
    graph = _core.build_graph(space, _core.largest(space, 224, 1.0))
    cost = _core.make_oracle("tinyengine").cost(graph)
    assert (cost.act_bytes, cost.sram_bytes) == (1_505_280, 1_432_648)
    assert _core.make_oracle("streaming").cost(graph).lower_bound_bytes == 61_600
