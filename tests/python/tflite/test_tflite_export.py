"""Exported files: equal in tflite-micro and after import, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from float_networks import mobile_network, pictures
from judges import run_tflm
from nets import Net
from random_networks import random_network
from test_tflite_golden import MODELS, load

from tinynas import InputError, _core
from tinynas.tflite import load_tflite, save_tflite
from tinynas.tflite.exporter import export_tflite
from tinynas.tflite.ir import GraphIR, GraphOperator, GraphTensor, Quantization, from_json, to_json

WEIGHTED = ("conv2d", "depthwise_conv2d", "fully_connected")


@pytest.mark.parametrize("name", MODELS)
def test_published_models(name: str, tmp_path: Path) -> None:
    graph, x = load(name)
    save_tflite(graph, tmp_path / "model.tflite")
    expected = _core.run(graph, [x])
    again = load_tflite(tmp_path / "model.tflite")
    assert [op.kind for op in again.operators] == [op.kind for op in graph.operators]
    assert [op.attributes for op in again.operators] == [op.attributes for op in graph.operators]
    for ours, theirs in zip(_core.run(again, [x]), expected, strict=True):
        assert np.array_equal(ours, theirs)
    for ours, theirs in zip(run_tflm((tmp_path / "model.tflite").read_bytes(), [x]), expected, strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("seed", range(1000, 1100, 10))
def test_random_networks(seed: int) -> None:
    """What TensorFlow Lite Micro could not read (TILE, SPACE_TO_BATCH_ND) it can after the import has folded it."""
    for s in range(seed, seed + 10):
        data, net = random_network(s, extremes=False)
        if any(op.code == "RELU6" for op in net.writer.operators):
            continue
        graph, inputs = load_tflite(data), net.random_inputs()
        expected = _core.run(graph, inputs)
        exported = export_tflite(from_json(graph.to_json()))
        for judge in (run_tflm, lambda d, i: _core.run(load_tflite(d), i)):
            for a, b in zip(judge(exported, inputs), expected, strict=True):
                assert a.shape == b.shape
                assert a.tobytes() == b.tobytes()


def small_graph(**pads: int) -> GraphIR:
    q = Quantization((0.1,), (3,))
    weights = Quantization((0.01, 0.02), (0, 0))
    data = np.arange(2 * 3 * 3 * 2, dtype=np.int8).tobytes()
    return GraphIR(
        "net",
        [
            GraphTensor("x", (1, 6, 6, 2), "s8", q),
            GraphTensor("w", (2, 3, 3, 2), "s8", weights, True, data),
            GraphTensor("y", (1, 4 + pads.get("pad_top", 0), 4, 2), "s8", Quantization((0.5,), (-7,))),
        ],
        [GraphOperator("conv2d", [0, 1, -1], [2], dict(pads), "conv")],
        [0],
        [2],
    )


def test_padding_that_only_an_operator_can_say() -> None:
    graph = _core.Graph.from_json(to_json(small_graph(pad_top=2)))
    graph.validate()
    exported = export_tflite(from_json(graph.to_json()))
    x = np.random.default_rng(0).integers(-128, 128, (1, 6, 6, 2)).astype(np.int8)
    expected = _core.run(graph, [x])[0]
    assert np.array_equal(run_tflm(exported, [x])[0], expected)
    again = load_tflite(exported)
    assert [op.kind for op in again.operators] == ["conv2d"]
    assert again.operators[0].attributes["pad_top"] == 2


def test_the_graph_s_json_survives() -> None:
    data, _ = random_network(3)
    graph = load_tflite(data)
    assert to_json(from_json(graph.to_json())) == to_json(from_json(_core.Graph.from_json(graph.to_json()).to_json()))


def test_refusals(tmp_path: Path) -> None:
    graph = small_graph()
    for tensor in graph.tensors:
        tensor.dtype, tensor.quantization, tensor.data = "f32", Quantization(), b""
    with pytest.raises(InputError, match="quantise the graph first"):
        save_tflite(_core.Graph.from_json(to_json(graph)), tmp_path / "a.tflite")
    graph = small_graph()
    graph.tensors[1].data = b""
    with pytest.raises(InputError, match="only describes sizes"):
        save_tflite(_core.Graph.from_json(to_json(graph)), tmp_path / "a.tflite")
    with pytest.raises(InputError, match="No such file"):
        save_tflite(_core.Graph.from_json(to_json(small_graph())), tmp_path / "no" / "a.tflite")


def test_pool_with_a_padding_no_file_can_say() -> None:
    net = Net(np.random.default_rng(0))
    y = net.pool("MAX_POOL_2D", net.input((1, 5, 5, 2)), (3, 3), (1, 1), padding=1)
    graph = from_json(load_tflite(net.finish([y])).to_json())
    graph.operators[0].attributes["pad_top"] = 1
    with pytest.raises(InputError, match="SAME or VALID"):
        export_tflite(graph)


def four_bit_graph(kind: str, several_scales: bool = True) -> GraphIR:
    """One operator with random int4 weights, -8 among them."""
    rng = np.random.default_rng(5)
    shapes: dict[str, tuple[tuple[int, ...], int, tuple[int, ...], tuple[int, ...]]] = {
        "conv2d": ((6, 3, 3, 5), 0, (1, 7, 7, 5), (1, 5, 5, 6)),
        "depthwise_conv2d": ((1, 3, 3, 6), 3, (1, 7, 7, 6), (1, 5, 5, 6)),
        "fully_connected": ((6, 11), 0, (1, 11), (1, 6)),
    }
    shape, axis, x, y = shapes[kind]
    scales = tuple(float(s) for s in rng.uniform(0.01, 0.1, 6 if several_scales else 1))
    values = rng.integers(-8, 8, int(np.prod(shape)) + int(np.prod(shape)) % 2).astype(np.uint8) & 15
    data = (values[0::2] | values[1::2] << 4).tobytes()
    weights = GraphTensor("w", shape, "s4", Quantization(scales, (0,) * len(scales), axis), True, data)
    tensors = [
        GraphTensor("x", x, "s8", Quantization((0.1,), (3,))),
        weights,
        GraphTensor("y", y, "s8", Quantization((0.5,), (-7,))),
    ]
    return GraphIR("net", tensors, [GraphOperator(kind, [0, 1, -1], [2], {}, "op")], [0], [2])


@pytest.mark.parametrize(
    ("kind", "several_scales"),
    [("conv2d", True), ("depthwise_conv2d", True), ("fully_connected", True), ("fully_connected", False)],
)
def test_four_bit_weights_run_alike(kind: str, several_scales: bool) -> None:
    graph = _core.Graph.from_json(to_json(four_bit_graph(kind, several_scales)))
    x = np.random.default_rng(1).integers(-128, 128, graph.tensors[0].shape).astype(np.int8)
    expected = _core.run(graph, [x])[0]
    assert len(np.unique(expected)) > 3
    exported = export_tflite(from_json(graph.to_json()))
    assert np.array_equal(run_tflm(exported, [x])[0], expected)
    again = load_tflite(exported)
    assert np.array_equal(_core.run(again, [x])[0], expected)
    wide = kind == "fully_connected" and several_scales  # runtimes have no such int4 kernel
    assert again.tensors[again.operators[0].inputs[1]].dtype == ("s8" if wide else "s4")


def test_four_bit_activations_have_no_file() -> None:
    graph = four_bit_graph("conv2d")
    graph.tensors[0].dtype = "s4"
    with pytest.raises(InputError, match=r"operator 0 \(conv2d 'op'\).*activations of 8 bits"):
        export_tflite(graph)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_networks_with_four_bit_weights_run_alike(seed: int, ends: bool) -> None:
    """`ends`: the first convolution and the classifier too."""
    network = mobile_network(seed)
    shape = network.tensors[network.inputs[0]].shape
    formats = _core.uniform_formats(network, "w4a8", ends)
    graph = _core.quantize(network, [pictures(16, shape, seed)], formats=formats)
    assert sum(t.dtype == "s4" for t in graph.tensors) == sum(o.kind in WEIGHTED for o in graph.operators) - (
        0 if ends else 2
    )
    exported = export_tflite(from_json(graph.to_json()))
    for x in (pictures(8, shape, seed + 100) * 128).astype(np.int8):
        expected = _core.run(graph, [x[np.newaxis]])[0]
        assert np.array_equal(run_tflm(exported, [x[np.newaxis]])[0], expected)
