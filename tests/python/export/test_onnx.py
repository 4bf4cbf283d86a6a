"""ONNX files run by onnxruntime against the reference interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tinynas._core as _core
from float_networks import Array, NetworkBuilder, mobile_network, pictures
from numpy.typing import NDArray

from tinynas.errors import InputError
from tinynas.export.onnx import make_model, to_onnx

# Optimisations off: every QuantizeLinear rounds a float operator's result, so a difference is ours, not a fusion's.
PLAIN = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
FUSED = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def run_onnx(model: Any, x: NDArray[Any], level: Any = PLAIN) -> NDArray[Any]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    data = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: picture[None]})[0] for picture in x])


def quantized(graph: _core.Graph, seed: int) -> _core.Graph:
    shape = graph.tensors[graph.inputs[0]].shape
    return _core.quantize(graph, [pictures(32, shape, seed + 1000)])


@pytest.mark.parametrize("seed", range(6))
def test_float_graph_equals_interpreter(seed: int) -> None:
    graph = mobile_network(seed)
    x = pictures(8, graph.tensors[0].shape, seed)
    expected = _core.run_batch(graph, [x])[0]
    np.testing.assert_allclose(run_onnx(make_model(graph), x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_int8_graph_differs_by_single_steps(seed: int) -> None:
    graph = quantized(mobile_network(seed), seed)
    x = (pictures(50, graph.tensors[0].shape, seed) * 128).astype(np.int8)
    expected = _core.run_batch(graph, [x])[0].astype(np.int32)
    got = run_onnx(make_model(graph, float_io=False), x).astype(np.int32)
    difference = np.abs(got - expected)
    # Ties round otherwise, and a step in an early layer moves the logits a few steps of 256 (measured: 5, mean 0.85).
    assert difference.max() <= 8 and difference.mean() < 1.5, f"greatest {difference.max()}, mean {difference.mean()}"
    assert (got.argmax(1) == expected.argmax(1)).mean() >= 0.98


@pytest.mark.parametrize("form", ["w4a8", "w4a4"])
@pytest.mark.parametrize("seed", range(3))
def test_four_bit_graph_differs_by_single_steps(seed: int, form: str) -> None:
    graph = mobile_network(seed)
    shape = graph.tensors[graph.inputs[0]].shape
    q = _core.quantize(graph, [pictures(32, shape, seed + 1000)], formats=_core.uniform_formats(graph, form))
    assert "s4" in {t.dtype for t in q.tensors}
    x = (pictures(50, shape, seed) * 128).astype(np.int8)
    expected = _core.run_batch(q, [x])[0].astype(np.int32)
    got = run_onnx(make_model(q, float_io=False), x).astype(np.int32)
    difference = np.abs(got - expected)
    # A tie that rounds otherwise moves a 4-bit activation by a sixteenth of its range.
    most, mean = (10, 2.0) if form == "w4a8" else (60, 8.0)
    assert difference.max() <= most and difference.mean() < mean, f"{difference.max()}, mean {difference.mean()}"
    assert (got.argmax(1) == expected.argmax(1)).mean() >= (0.96 if form == "w4a8" else 0.85)


@pytest.mark.parametrize("kind", ["conv", "depthwise", "add", "pool"])
def test_one_operator_differs_by_ties_alone(kind: str) -> None:
    net = NetworkBuilder(kind, (1, 12, 11, 5), 3)
    output = {
        "conv": lambda: net.conv(0, 7, 3, 2),
        "depthwise": lambda: net.depthwise(0, 5, 1, "none"),
        "add": lambda: net.append("add", [0, net.conv(0, 5)]),
        "pool": lambda: net.append("average_pool", [0], kernel_h=3, kernel_w=3, stride_h=2, stride_w=2),
    }[kind]()
    graph = quantized(net.finish(output), 0)
    x = (pictures(20, (1, 12, 11, 5), 2) * 128).astype(np.int8)
    got = run_onnx(make_model(graph, float_io=False), x).astype(np.int32)
    difference = np.abs(got - _core.run_batch(graph, [x])[0])
    assert difference.max() <= 1 and (difference > 0).mean() < 0.06, (difference > 0).mean()


def test_class_decisions_after_fusion() -> None:
    """With onnxruntime's default optimisations the same classes come out wherever no two are within 4 steps."""
    decided = same = 0
    for seed in range(6):
        graph = quantized(mobile_network(seed), seed)
        x = (pictures(50, graph.tensors[0].shape, seed) * 128).astype(np.int8)
        expected = _core.run_batch(graph, [x])[0].astype(np.int32)
        got = run_onnx(make_model(graph, float_io=False), x, FUSED)
        ranked = np.sort(expected, axis=1)
        clear = ranked[:, -1] - ranked[:, -2] > 4
        decided += int(clear.sum())
        same += int((got.argmax(1) == expected.argmax(1))[clear].sum())
    assert decided > 200 and same == decided


def test_float_io_quantises_inside(tmp_path: Path) -> None:
    graph = quantized(mobile_network(1), 1)
    x = pictures(10, graph.tensors[0].shape, 5)
    to_onnx(graph, tmp_path / "net.onnx")
    output = graph.tensors[graph.outputs[0]]
    inside = run_onnx(make_model(graph, float_io=False), (x * 128).astype(np.int8)).astype(np.float32)
    expected = (inside - output.zero_point[0]) * output.scale[0]
    np.testing.assert_allclose(run_onnx(str(tmp_path / "net.onnx"), x), expected, atol=1e-5)


def every_operator(seed: int) -> _core.Graph:
    """One network through the operators that the mobile networks do not have."""
    net = NetworkBuilder("all", (1, 9, 10, 3), seed)
    x = net.conv(0, 6, 3)
    x = net.append("hard_swish", [x])
    gate = net.append("mean", [x], axes=[1, 2], keep_dims=True)
    gate = net.append("logistic", [net.conv(gate, 6, activation="none")])
    x = net.append("mul", [x, gate])
    x = net.append("add", [x, net.constant(net.rng.normal(0, 1, 6).astype(np.float32))])
    x = net.append("pad", [x], amounts=[[0, 0], [1, 2], [0, 1], [0, 0]])
    x = net.append("max_pool", [x], kernel_h=3, kernel_w=2, stride_h=2, stride_w=2, pad_top=1)
    x = net.append("concat", [x, net.append("leaky_relu", [x], alpha=0.1)], axis=3)
    x = net.append("resize_nearest", [x], shape=[1, 12, 10, 12])
    x = net.append("resize_bilinear", [x], shape=[1, 7, 15, 12], half_pixel_centers=True)
    x = net.append("prelu", [x, net.constant(net.rng.uniform(0, 0.5, (1, 1, 12)).astype(np.float32))])
    x = net.append("transpose", [x], permutation=[0, 2, 1, 3])
    weights = net.constant(net.rng.normal(0, 0.2, (4, 3, 3, 12)).astype(np.float32))
    x = net.append("transpose_conv", [x, weights, -1], stride_h=2, stride_w=2, pad_top=1, pad_left=1)
    x = net.append("tanh", [x])
    x = net.append("reduce_max", [x], axes=[1, 2], keep_dims=False)
    return net.finish(net.append("softmax", [net.fully_connected(x, 7)], beta=0.5))


@pytest.mark.parametrize("seed", range(3))
def test_every_operator(seed: int) -> None:
    graph = every_operator(seed)
    x = pictures(6, graph.tensors[0].shape, seed)
    expected = _core.run_batch(graph, [x])[0]
    np.testing.assert_allclose(run_onnx(make_model(graph), x), expected, rtol=1e-4, atol=1e-5)
    integer = quantized(graph, seed)
    got = run_onnx(make_model(integer), x)
    assert np.abs(got - expected).max() < 0.1


def test_graph_without_weights_is_refused(tmp_path: Path) -> None:
    text = mobile_network(0).to_json()
    start = text.index('"data":"')
    end = text.index('"', start + 8) + 1
    graph = _core.Graph.from_json(text[: start - 1] + text[end:])
    with pytest.raises(InputError, match="sizes only"):
        to_onnx(graph, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_calibration_array_type() -> None:
    graph = mobile_network(0)
    wrong: Array = pictures(2, graph.tensors[0].shape, 0).astype(np.float64)  # type: ignore[assignment]
    with pytest.raises(InputError, match="float32"):
        _core.quantize(graph, [wrong])
