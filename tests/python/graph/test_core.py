"""The graph's bindings, and shrinking of published models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tinynas._core as _core
from float_networks import mobile_network, pictures

from tinynas.errors import InputError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def quantized(seed: int) -> _core.Graph:
    graph = mobile_network(seed)
    return _core.quantize(graph, [pictures(16, graph.tensors[0].shape, seed)])


def test_json_round_trip_and_views() -> None:
    graph = quantized(0)
    back = _core.Graph.from_json(graph.to_json())
    assert back.to_json() == graph.to_json()
    assert graph.operators[0].kind == "conv2d" and graph.operators[0].attributes["activation"] == "relu6"
    weights = graph.tensors[graph.operators[0].inputs[1]]
    assert weights.constant and weights.array().shape == weights.shape and weights.array().dtype == np.int8
    assert graph.macs() == sum(graph.operator_macs(i) for i in range(len(graph.operators)))


def test_batch_equals_single_runs() -> None:
    graph = quantized(1)
    x = (pictures(7, graph.tensors[0].shape, 3) * 128).astype(np.int8)
    batch = _core.run_batch(graph, [x], threads=2)[0]
    single = np.concatenate([_core.run(graph, [picture[None]])[0] for picture in x])
    np.testing.assert_array_equal(batch, single)
    every = _core.run(graph, [x[:1]], all_tensors=True)
    np.testing.assert_array_equal(every[graph.outputs[0]], single[:1])
    assert every[graph.operators[0].inputs[1]] is None


def test_bad_arrays_and_graphs_are_input_errors() -> None:
    graph = quantized(2)
    x = np.zeros(graph.tensors[0].shape, dtype=np.int8)
    with pytest.raises(InputError, match="int8"):
        _core.run(graph, [x.astype(np.float32)])
    with pytest.raises(InputError, match=r"expected the shape \[1, 24, 24, 3\], got \[1, 24, 23, 3\]"):
        _core.run(graph, [x[:, :, 1:]])
    with pytest.raises(InputError, match="one per input"):
        _core.run(graph, [])
    with pytest.raises(InputError, match="range"):
        _core.quantize(mobile_network(0), [pictures(1, x.shape, 0)], range="best")
    with pytest.raises(InputError, match="JSON"):
        _core.Graph.from_json("{")


@pytest.mark.parametrize("seed", range(4))
def test_quantised_networks_decide_as_float_ones(seed: int) -> None:
    graph = mobile_network(seed)
    integer = _core.quantize(graph, [pictures(64, graph.tensors[0].shape, seed + 100)])
    x = pictures(200, graph.tensors[0].shape, seed + 200)
    real = _core.run_batch(graph, [x])[0].argmax(1)
    assert (_core.run_batch(integer, [(x * 128).astype(np.int8)])[0].argmax(1) == real).mean() > 0.97


@pytest.mark.skipif(not SHARED.exists(), reason="published models are not here")
@pytest.mark.parametrize(
    ("path", "greatest"),
    [("mlperf_tiny/vww_96_int8", 0.51), ("tinyengine/vww_int8_io", 0.95), ("mlperf_tiny/kws_ref_model", 1.0)],
)
def test_shrinking_published_models(path: str, greatest: float) -> None:
    from tinynas.tflite.importer import load_tflite

    graph = load_tflite(SHARED / f"{path}.tflite")
    small, report = _core.shrink(graph)
    assert report["macs_before"] == graph.macs() and report["macs_after"] == small.macs() <= greatest * graph.macs()
    shape = graph.tensors[graph.inputs[0]].shape
    x = np.random.default_rng(0).integers(-128, 128, (12, *shape[1:]), dtype=np.int8)
    x[0], x[1] = -128, 127
    for a, b in zip(_core.run_batch(graph, [x]), _core.run_batch(small, [x]), strict=True):
        np.testing.assert_array_equal(a, b)
