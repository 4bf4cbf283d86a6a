"""The shapes in which converters write things, and what the importer makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from judges import run_litert, run_tflm
from nets import Net

from tinynas import _core
from tinynas.tflite import load_tflite
from tinynas.tflite.writer import TensorSpec


def new(seed: int = 0) -> Net:
    return Net(np.random.default_rng(seed))


def kinds(graph: _core.Graph) -> list[str]:
    return [op.kind for op in graph.operators]


def same_as(judge: object, data: bytes, net: Net) -> _core.Graph:
    graph, inputs = load_tflite(data), net.random_inputs()
    for a, b in zip(_core.run(graph, inputs), judge(data, inputs), strict=True):  # type: ignore[operator]
        assert a.shape == b.shape
        assert np.array_equal(a, b)
    return graph


def slice_of_shape(net: Net, shape: int) -> int:
    begin, end, step = net.numbers([0]), net.numbers([1]), net.numbers([1])
    out = net.writer.tensor(TensorSpec("batch", (), "INT32"))
    fields = {"shrink_axis_mask": 1}
    return net.operator("STRIDED_SLICE", [shape, begin, end, step], out, "StridedSliceOptions", fields)


def test_flatten_with_unknown_batch_is_one_reshape() -> None:
    net = new()
    x = net.input((1, 4, 5, 3))
    net.spec(x).signature = (-1, 4, 5, 3)
    shape = net.operator(
        "SHAPE", [x], net.writer.tensor(TensorSpec("shape", (4,), "INT32")), "ShapeOptions", {"out_type": 2}
    )
    packed = net.writer.tensor(TensorSpec("packed", (2,), "INT32"))
    parts = [slice_of_shape(net, shape), net.numbers(60)]
    net.operator("PACK", parts, packed, "PackOptions", {"values_count": 2, "axis": 0})
    flat = net.operator("RESHAPE", [x, packed], net.like(x, (1, 60)))
    graph = same_as(run_tflm, net.finish([net.fully_connected(flat, 4)]), net)
    assert kinds(graph) == ["reshape", "fully_connected"]
    assert [op.source_index for op in graph.operators] == [3, 4]


def test_upsampling_by_tile_is_a_resize() -> None:
    net = new()
    y = net.upsample(net.upsample(net.input((1, 4, 5, 3)), 1, 2), 2, 3)
    graph = same_as(run_litert, net.finish([y]), net)
    assert kinds(graph) == ["resize_nearest", "resize_nearest"]
    assert [op.source_index for op in graph.operators] == [2, 5]


def test_tile_of_one_pixel_is_a_resize() -> None:
    net = new()
    x = net.input((1, 1, 1, 6))
    tiled = net.operator("TILE", [x, net.numbers([1, 3, 4, 1])], net.like(x, (1, 3, 4, 6)), "TileOptions")
    assert kinds(same_as(run_litert, net.finish([tiled]), net)) == ["resize_nearest"]


@pytest.mark.parametrize("same", [False, True])
def test_space_to_batch_is_a_dilation(same: bool) -> None:
    net = new()
    graph = same_as(run_litert, net.finish([net.dilated(net.input((1, 9, 10, 2)), 3, (3, 2), (2, 3), same)]), net)
    assert kinds(graph) == ["conv2d"]
    attributes = graph.operators[0].attributes
    assert (attributes["dilation_h"], attributes["dilation_w"]) == (2, 3)


def test_convolution_over_time() -> None:
    net = new()
    x = net.input((1, 20, 4))
    y = net.squeeze(net.conv(net.expand(x, 1), 6, (1, 5), stride=(1, 2)), [1])
    graph = same_as(run_litert, net.finish([y]), net)
    assert kinds(graph) == ["reshape", "conv2d", "reshape"]
    assert graph.tensors[graph.outputs[0]].shape == (1, 10, 6)


@pytest.mark.parametrize("renaming", ["expand and squeeze", "reshape"])
def test_dilated_convolution_over_time(renaming: str) -> None:
    net = new()
    x = net.input((1, 19, 4))
    blocks = net.like(x, (3, 8, 4))
    net.operator("SPACE_TO_BATCH_ND", [x, net.numbers([3]), net.numbers([[2, 3]])], blocks)
    short = renaming == "reshape"
    row = net.reshape(blocks, [3, 1, 8, 4]) if short else net.expand(blocks, 1)
    y = net.conv(row, 5, (1, 2), padding=1, act=1)
    rows = net.reshape(y, [3, 7, 5]) if short else net.squeeze(y, [1])
    out = net.like(y, (1, 20, 5))
    net.operator("BATCH_TO_SPACE_ND", [rows, net.numbers([3]), net.numbers([[0, 1]])], out)
    graph = same_as(run_litert, net.finish([out]), net)
    assert kinds(graph) == ["reshape", "conv2d", "reshape"]
    assert graph.operators[1].attributes["dilation_w"] == 3


def test_padding_is_folded_into_every_convolution_that_reads_it() -> None:
    net = new()
    padded = net.pad(net.input((1, 6, 7, 4)), [[0, 0], [2, 1], [0, 3], [0, 0]])
    outputs = [net.conv(padded, 3, (3, 3), padding=1), net.depthwise(padded, 1, (3, 3), stride=(2, 2))]
    graph = same_as(run_litert, net.finish(outputs), net)
    assert kinds(graph) == ["conv2d", "depthwise_conv2d"]
    a = graph.operators[0].attributes
    assert [a["pad_top"], a["pad_bottom"], a["pad_left"], a["pad_right"]] == [2, 1, 0, 3]


def test_padding_that_something_else_reads_stays() -> None:
    net = new()
    padded = net.pad(net.input((1, 6, 6, 2)), [[0, 0], [1, 1], [1, 1], [0, 0]])
    outputs = [net.conv(padded, 3, (3, 3), padding=1), net.pool("MAX_POOL_2D", padded, (2, 2), (2, 2))]
    graph = same_as(run_litert, net.finish(outputs), net)
    assert kinds(graph) == ["conv2d", "pad", "max_pool"]


def test_padding_of_channels_is_an_operator() -> None:
    net = new()
    y = net.pad(net.input((1, 3, 3, 2)), [[0, 0], [0, 1], [0, 0], [1, 2]])
    assert kinds(same_as(run_tflm, net.finish([y]), net)) == ["pad"]


def test_stored_shapes_are_not_believed() -> None:
    net = new()
    y = net.conv(net.input((1, 8, 8, 3)), 4, (3, 3), stride=(2, 2))
    z = net.reshape(y, [1, -1])
    expected = _core.run(load_tflite(net.finish([z])), net.random_inputs())[0].shape
    net.spec(y).shape = (7, 1, 99, 4)
    net.spec(z).shape = (1, 1)
    assert _core.run(load_tflite(net.finish([z])), net.random_inputs())[0].shape == expected == (1, 64)


def test_batch_normalisation_before_the_activation() -> None:
    net = new()
    x = net.conv(net.input((1, 5, 5, 3)), 4, (3, 3))
    y = net.binary("ADD", net.binary("MUL", x, net.constant((4,))), net.constant((4,)), act=1)
    assert kinds(same_as(run_tflm, net.finish([y]), net)) == ["conv2d", "mul", "add"]


def test_several_inputs_and_outputs_in_the_file_s_order() -> None:
    net = new()
    a, b = net.input((1, 4, 6, 2), 0.1, 3), net.input((1, 4, 6, 2), 0.1, 3)
    joined = net.concat([a, b, a], 2)
    outputs = [net.conv(joined, 2, (1, 3)), net.binary("ADD", b, a)]
    graph = same_as(run_litert, net.finish(outputs[::-1]), net)
    assert [graph.tensors[i].shape for i in graph.outputs] == [(1, 4, 6, 2), (1, 4, 18, 2)]


@pytest.mark.parametrize(("order", "kind"), [([0, 2, 1, 3], "reshape"), ([0, 3, 2, 1], "transpose")])
def test_transposition_that_only_renames(order: list[int], kind: str) -> None:
    net = new()
    y = net.transpose(net.input((1, 1, 5, 3)), order)
    assert kinds(same_as(run_tflm, net.finish([y]), net)) == [kind]


def test_softmax_in_three_dimensions() -> None:
    net = new()
    y = net.unary("SOFTMAX", net.reshape(net.input((1, 4, 5, 3)), [1, 20, 3]))
    assert kinds(same_as(run_tflm, net.finish([y]), net)) == ["reshape", "softmax"]


@pytest.mark.parametrize("code", ["RELU", "RELU6"])
def test_activation_on_its_own(code: str) -> None:
    net = new()
    x = net.input((1, 60), 0.1, -20)
    y = net.operator(code, [x], net.like(x, (1, 60)))
    assert kinds(same_as(run_tflm, net.finish([y]), net)) == ["reshape", "max_pool", "reshape"]
