"""What is refused, and that the message names operator, reason and a way out; damaged files."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from nets import Net
from random_networks import random_network

from tinynas import InputError
from tinynas.tflite import load_tflite, schema
from tinynas.tflite.flat import Table
from tinynas.tflite.writer import OperatorSpec, TensorSpec, TfliteWriter


def new() -> Net:
    return Net(np.random.default_rng(0))


def refused(net: Net, outputs: list[int], *parts: str) -> None:
    with pytest.raises(InputError) as error:
        load_tflite(net.finish(outputs))
    for part in parts:
        assert re.search(part, str(error.value)), str(error.value)


def convolution(net: Net) -> tuple[int, int, int, int]:
    """Tensors x, weights, bias and output of a small convolution."""
    x = net.input((1, 6, 6, 3))
    y = net.conv(x, 4, (3, 3))
    return (*net.writer.operators[0].inputs, y)  # type: ignore[return-value]


def test_float_model() -> None:
    net = new()
    tensors = convolution(net)
    for index in tensors:
        spec = net.spec(index)
        spec.type, spec.scale = "FLOAT32", []
        if spec.data is not None:
            spec.data = np.zeros(spec.shape, np.float32).tobytes()
    refused(net, [tensors[3]], r"operator 0 \(CONV_2D\)", "float32", "full integer quantisation")


def test_four_bits_where_no_runtime_has_them() -> None:
    net = new()
    y = net.transpose_conv(net.input((1, 4, 4, 3)), 4, (3, 3), (1, 1))
    w = net.spec(net.writer.operators[0].inputs[1])
    w.type, w.data = "INT4", bytes((int(np.prod(w.shape)) + 1) // 2)
    refused(net, [y], r"operator 0 \(TRANSPOSE_CONV\)", "int4", "int8")


def test_dynamic_range_model() -> None:
    net = new()
    x, _, _, y = convolution(net)
    for index in (x, y):
        net.spec(index).type, net.spec(index).scale = "FLOAT32", []
    refused(net, [y], r"operator 0 \(CONV_2D\)", "dynamic-range", "full integer quantisation")


def test_float16_model() -> None:
    net = new()
    half = net.writer.tensor(TensorSpec("half", (4,), "FLOAT16", data=bytes(8)))
    net.input((1, 4))
    refused(net, [net.dequantize(half)], r"operator 0 \(DEQUANTIZE\)", "float16")


def test_int16_model() -> None:
    net = new()
    x, _, _, y = convolution(net)
    net.spec(x).type = net.spec(y).type = "INT16"
    refused(net, [y], r"operator 0 \(CONV_2D\)", "16x8")


def test_old_uint8_model() -> None:
    net = new()
    x, w, _, y = convolution(net)
    for index in (x, w, y):
        net.spec(index).type = "UINT8"
    refused(net, [y], r"operator 0 \(CONV_2D\)", "uint8")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "recurrent"),
        ("WHILE", "recurrent"),
        ("CUSTOM", "custom"),
        ("COS", "not supported"),
    ],
)
def test_other_operators(code: str, reason: str) -> None:
    net = new()
    x = net.conv(net.input((1, 4, 4, 2)), 2, (1, 1))
    refused(net, [net.operator(code, [x], net.like(x, (1, 4, 4, 2)))], rf"operator 1 \({code}", reason, ";")


@pytest.mark.parametrize("signature", [(-1, -1, 6, 3), (1, 6, -1, 3), (-1, 6, 6, -1)])
def test_unknown_sizes(signature: tuple[int, ...]) -> None:
    net = new()
    x, _, _, y = convolution(net)
    net.spec(x).signature = signature
    refused(net, [y], "fixed height, width and depth")


def test_batch_of_several() -> None:
    net = new()
    y = net.conv(net.input((2, 6, 6, 3)), 4, (3, 3))
    refused(net, [y], r"operator 0 \(CONV_2D\)", "set the batch to 1")


def test_variables_and_computed_weights() -> None:
    net = new()
    x, w, _, y = convolution(net)
    net.spec(x).is_variable = True
    refused(net, [y], "variable")
    net.spec(x).is_variable = False
    net.spec(w).data = None
    refused(net, [y], r"operator 0 \(CONV_2D\)", "no earlier operator has written")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scale": [0.0]}, "positive finite scale"),
        ({"scale": [float("nan")]}, "positive finite scale"),
        ({"scale": [1e-37]}, "differ by a factor"),
        ({"scale": [0.1, 0.2], "zero_point": [0, 0]}, "2 scales"),
        ({"scale": []}, "0 scales"),
        ({"zero_point": [128]}, "zero point from -128 to 127"),
        ({"type": "INT32"}, "int32"),
    ],
)
def test_quantisation_of_the_output(change: dict[str, object], reason: str) -> None:
    net = new()
    y = convolution(net)[3]
    for key, value in change.items():
        setattr(net.spec(y), key, value)
    refused(net, [y], r"operator 0 \(CONV_2D\)", reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"axis": 1}, "4 scales along axis 0"),
        ({"scale": [0.1, 0.1], "zero_point": [0, 0]}, "4 scales along axis 0"),
        ({"zero_point": [0, 0, 1, 0]}, "zero point other than 0"),
        ({"shape": (4, 3, 3, 2)}, "expected 72 bytes"),
        ({"shape": (4, 3, -3, 3)}, "shape"),
        ({"shape": (1 << 30, 1 << 30, 3, 3)}, "shape"),
    ],
)
def test_weights(change: dict[str, object], reason: str) -> None:
    net = new()
    _, w, _, y = convolution(net)
    for key, value in change.items():
        setattr(net.spec(w), key, value)
    refused(net, [y], r"operator 0 \(CONV_2D\)", reason)


def test_scales_that_differ_where_bytes_are_only_moved() -> None:
    for method in ("pool", "reshape", "concat"):
        net = new()
        x = net.input((1, 4, 4, 2), 0.1, 0)
        if method == "pool":
            y = net.pool("AVERAGE_POOL_2D", x, (2, 2), (2, 2))
        else:
            y = net.reshape(x, [1, 32]) if method == "reshape" else net.concat([x, x], 3)
        net.spec(y).scale = [0.2]
        refused(net, [y], "operator 0", "same scale and zero point")


def test_blocks_that_no_convolution_reads() -> None:
    net = new()
    x = net.input((1, 4, 4, 2))
    blocks = net.like(x, (4, 2, 2, 2))
    net.operator("SPACE_TO_BATCH_ND", [x, net.numbers([2, 2]), net.numbers([[0, 0], [0, 0]])], blocks)
    refused(net, [net.unary("TANH", blocks)], r"operator 0 \(SPACE_TO_BATCH_ND\)", "batch 1")


def test_sizes_that_would_not_fit_in_memory() -> None:
    net = new()
    x = net.input((1, 1 << 14, 1 << 14, 64))
    refused(net, [net.unary("TANH", x)], "shape")
    net = new()
    x = net.input((1, 64, 64, 8))
    refused(net, [net.pad(x, [[0, 0], [900_000, 0], [900_000, 0], [0, 0]])], r"operator 0 \(PAD\)", "shape")


def test_operators_in_the_wrong_order_and_written_twice() -> None:
    net = new()
    x = net.input((1, 4))
    a, b = net.like(x, (1, 4)), net.like(x, (1, 4))
    net.operator("TANH", [b], a)
    refused(net, [a], r"operator 0 \(TANH\)", "no earlier operator has written")
    net = new()
    x = net.input((1, 4))
    net.operator("LEAKY_RELU", [x], x, "LeakyReluOptions", {"alpha": 0.5})
    refused(net, [x], r"operator 0 \(LEAKY_RELU\)", "written already")


def test_an_operator_without_outputs() -> None:
    net = new()
    y = convolution(net)[3]
    net.writer.operators[0].outputs = []
    refused(net, [y], r"operator 0 \(CONV_2D\)", "expected 1 output, got 0")


def test_not_a_file(tmp_path: Path) -> None:
    for data in (b"", b"TFL3", bytes(100), b"\x08\0\0\0TFL3", b"\xff\xff\xff\xffTFL3" + bytes(30)):
        with pytest.raises(InputError, match="tflite"):
            load_tflite(data)
    with pytest.raises(InputError, match="No such file"):
        load_tflite(tmp_path / "none.tflite")
    with pytest.raises(InputError, match="directory"):
        load_tflite(tmp_path)


def test_empty_networks() -> None:
    writer = TfliteWriter()
    with pytest.raises(InputError):
        load_tflite(writer.finish([], []))
    x = writer.tensor(TensorSpec("x", (1, 4), scale=[0.1], zero_point=[0]))
    with pytest.raises(InputError, match="never computed"):
        writer.tensor(TensorSpec("y", (1, 4), scale=[0.1], zero_point=[0]))
        load_tflite(writer.finish([x], [1]))
    writer.operator(OperatorSpec("TANH", [], [1]))
    with pytest.raises(InputError, match="expected input 0"):
        load_tflite(writer.finish([x], [1]))


def hostile(data: bytes, table: str, slot: int) -> bytes:
    """The file with a vector of its only operator or first tensor turned into a claim on everything that follows it."""
    root = Table.root(data)
    graph = root.tables(schema.MODEL["subgraphs"], "subgraphs", 1)[0]
    vector = graph.tables(schema.SUBGRAPH[table], table, 100)[0]._vector(slot, 1)
    assert vector is not None
    start = vector[0] - 4
    return data[:start] + (1 << 20).to_bytes(4, "little") + data[start + 4 :] + bytes(1 << 23)


@pytest.mark.parametrize(
    ("table", "slot", "reason"),
    [
        ("tensors", schema.TENSOR["shape"], "at most 8 dimensions"),
        ("operators", schema.OPERATOR["inputs"], "at most 1000 tensors"),
        ("operators", schema.OPERATOR["outputs"], "at most 1000 tensors"),
    ],
)
def test_vectors_that_claim_much(table: str, slot: int, reason: str) -> None:
    net = new()
    data = net.finish([net.unary("TANH", net.input((1, 4)))])
    with pytest.raises(InputError, match=reason):
        load_tflite(hostile(data, table, slot))


def test_a_small_file_that_claims_many_operands() -> None:
    net = new()
    x = net.input((1, 4), 0.1, 0)
    for _ in range(200):
        net.operator("CONCATENATION", [x] * 900, net.like(x, (1, 3600)), "ConcatenationOptions", {"axis": 1})
    refused(net, [net.writer.operators[0].outputs[0]], "at most 100000 inputs and outputs")


def test_large_files_are_read_quickly() -> None:
    """Names, scales and buffers are not copied: many tensors may share them."""
    net = new()
    x = net.input((1, 4))
    for _ in range(4000):
        x = net.unary("TANH", x)
    data = net.finish([x])
    start = time.monotonic()
    assert len(load_tflite(data).operators) == 4000
    assert time.monotonic() - start < 5


def test_every_truncation_is_refused() -> None:
    data, _ = random_network(5)
    whole = load_tflite(data)
    assert len(whole.operators) > 0
    for length in range(0, len(data), 7):
        try:
            load_tflite(data[:length])
        except InputError:
            continue
        pytest.fail(f"accepted the first {length} of {len(data)} bytes")
