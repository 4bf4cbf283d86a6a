"""ONNX export: a graph of int8 and int4 tensors as QDQ model (QuantizeLinear, DequantizeLinear around float operators).

onnxruntime executes the QDQ form with its own kernels, whose rounding is not TensorFlow Lite's: values agree with the
reference interpreter save for steps of the last bit. Feature maps are NCHW inside; inputs and outputs keep the graph's
NHWC. A float graph is written as it is.

A file with int4 tensors has opset 21, for which onnxruntime's (1.32) change of int8 into uint8 is at fault:
sessions of extended or full optimisation want the entry session.qdqisint8allowed = 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

import tinynas._core as _core
from tinynas.errors import InputError
from tinynas.export.onnx_writer import OnnxWriter

VERSIONS = (18, 9)
"""Of operators and of the file format."""
FOUR_BIT_VERSIONS = (21, 10)
"""The first ones that know INT4."""


def to_onnx(graph: _core.Graph, path: str | os.PathLike[str], *, float_io: bool = True) -> None:
    """Writes `graph` as an ONNX file.

    float_io: quantised inputs and outputs are float in the file, quantised and dequantised inside it; False: they have
    the graph's integer types. Raises InputError for a graph without weights, and for what ONNX cannot express.
    """
    graph.validate()
    if not graph.has_data():
        raise InputError("[onnx] expected a graph with weights, got one that describes sizes only")
    Path(path).write_bytes(make_model(graph, float_io=float_io).SerializeToString())


def make_model(graph: _core.Graph, *, float_io: bool = True) -> Any:
    """The `onnx.ModelProto` of a graph, checked by onnx."""
    writer = OnnxWriter(graph, float_io=float_io)
    for index in graph.inputs:
        writer.add_input(index)
    for index in range(len(graph.operators)):
        _write_operator(writer, index)
    for index in graph.outputs:
        writer.add_output(index)
    onnx_graph = helper.make_graph(
        writer.nodes, graph.name or "network", writer.inputs, writer.outputs, initializer=writer.initializers
    )
    opset, version = FOUR_BIT_VERSIONS if any(t.dtype == "s4" for t in graph.tensors) else VERSIONS
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="tinynas")
    model.ir_version = version
    onnx.checker.check_model(model)
    return model


def _write_operator(writer: OnnxWriter, index: int) -> None:
    op = writer.graph.operators[index]
    write = _WRITERS.get(op.kind)
    if write is None:
        raise InputError(
            f"[onnx] operator {index} ({op.kind} '{op.name}'): expected one of {', '.join(sorted(_WRITERS))}"
        )
    write(writer, op)


def _activated(writer: OnnxWriter, op: Any, value: str) -> str:
    activation = op.attributes.get("activation", "none")
    if activation == "relu":
        return writer.node("Relu", [value])
    if activation == "relu6":
        limits = [writer.scalar(0.0), writer.scalar(6.0)]
        return writer.node("Clip", [value, *limits])
    return value


def _strides_and_pads(op: Any) -> dict[str, list[int]]:
    a = op.attributes
    return {
        "strides": [a["stride_h"], a["stride_w"]],
        "pads": [a["pad_top"], a["pad_left"], a["pad_bottom"], a["pad_right"]],
    }


def _convolution(writer: OnnxWriter, op: Any) -> None:
    weights = writer.graph.tensors[op.inputs[1]]
    depthwise = op.kind == "depthwise_conv2d"
    channels = writer.graph.tensors[op.inputs[0]].shape[3]
    layout = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)  # to [Co, Ci / groups, kh, kw]
    inputs = [writer.read(op.inputs[0], nchw=True), writer.weights(op, layout, channel_axis=0)]
    inputs += writer.bias(op)
    a = op.attributes
    value = writer.node(
        "Conv",
        inputs,
        **_strides_and_pads(op),
        dilations=[a["dilation_h"], a["dilation_w"]],
        kernel_shape=list(weights.shape[1:3]),
        group=channels if depthwise else channels // weights.shape[3],
    )
    writer.write(op.outputs[0], _activated(writer, op, value), nchw=True)


def _transpose_conv(writer: OnnxWriter, op: Any) -> None:
    weights = writer.graph.tensors[op.inputs[1]]
    a = op.attributes
    attributes: dict[str, Any] = _strides_and_pads(op)
    # Padding below zero enlarges the output at its end: ONNX calls that output padding.
    extra = [max(0, -a["pad_bottom"]), max(0, -a["pad_right"])]
    attributes["pads"] = [max(0, pad) for pad in attributes["pads"]]
    inputs = [writer.read(op.inputs[0], nchw=True), writer.weights(op, (3, 0, 1, 2), channel_axis=1)]
    inputs += writer.bias(op)
    value = writer.node(
        "ConvTranspose",
        inputs,
        **attributes,
        output_padding=extra,
        dilations=[a["dilation_h"], a["dilation_w"]],
        kernel_shape=list(weights.shape[1:3]),
    )
    writer.write(op.outputs[0], _activated(writer, op, value), nchw=True)


def _fully_connected(writer: OnnxWriter, op: Any) -> None:
    width = writer.graph.tensors[op.inputs[1]].shape[1]
    rows = writer.reshape(writer.read(op.inputs[0]), [-1, width])
    value = writer.node("Gemm", [rows, writer.weights(op, (0, 1), channel_axis=0), *writer.bias(op)], transB=1)
    output = writer.graph.tensors[op.outputs[0]].shape
    if len(output) != 2:
        value = writer.reshape(value, list(output))
    writer.write(op.outputs[0], _activated(writer, op, value))


def _binary(onnx_op: str) -> Callable[[OnnxWriter, Any], None]:
    def write(writer: OnnxWriter, op: Any) -> None:
        shapes = [writer.graph.tensors[i].shape for i in op.inputs]
        maps = all(
            len(shape) == 4 or writer.graph.tensors[i].constant for i, shape in zip(op.inputs, shapes, strict=True)
        )
        nchw = maps and any(len(shape) == 4 for shape in shapes)
        value = writer.node(onnx_op, [writer.read(i, nchw=nchw) for i in op.inputs])
        writer.write(op.outputs[0], _activated(writer, op, value), nchw=nchw)

    return write


def _pool(onnx_op: str) -> Callable[[OnnxWriter, Any], None]:
    def write(writer: OnnxWriter, op: Any) -> None:
        attributes: dict[str, Any] = _strides_and_pads(op)
        attributes["kernel_shape"] = [op.attributes["kernel_h"], op.attributes["kernel_w"]]
        value = writer.node(onnx_op, [writer.read(op.inputs[0], nchw=True)], **attributes)
        writer.write(op.outputs[0], _activated(writer, op, value), nchw=True)

    return write


def _reduction(onnx_op: str) -> Callable[[OnnxWriter, Any], None]:
    def write(writer: OnnxWriter, op: Any) -> None:
        rank = len(writer.graph.tensors[op.inputs[0]].shape)
        axes = sorted({axis % rank for axis in op.attributes["axes"]})
        inputs = [writer.read(op.inputs[0])]
        attributes: dict[str, Any] = {"keepdims": int(op.attributes["keep_dims"])}
        inputs.append(writer.integers(axes))
        writer.write(op.outputs[0], writer.node(onnx_op, inputs, **attributes))

    return write


def _unary(onnx_op: str, **attributes: Any) -> Callable[[OnnxWriter, Any], None]:
    def write(writer: OnnxWriter, op: Any) -> None:
        nchw = writer.is_nchw(op.inputs[0])
        value = writer.node(onnx_op, [writer.read(op.inputs[0], nchw=nchw)], **attributes)
        writer.write(op.outputs[0], value, nchw=nchw)

    return write


def _leaky_relu(writer: OnnxWriter, op: Any) -> None:
    _unary("LeakyRelu", alpha=float(op.attributes["alpha"]))(writer, op)


def _softmax(writer: OnnxWriter, op: Any) -> None:
    value = writer.read(op.inputs[0])
    if op.attributes["beta"] != 1.0:
        value = writer.node("Mul", [value, writer.scalar(op.attributes["beta"])])
    writer.write(op.outputs[0], writer.node("Softmax", [value], axis=-1))


def _pad(writer: OnnxWriter, op: Any) -> None:
    amounts = op.attributes["amounts"]
    pads = [before for before, _ in amounts] + [after for _, after in amounts]
    value = writer.node("Pad", [writer.read(op.inputs[0]), writer.integers(pads), writer.scalar(0.0)])
    writer.write(op.outputs[0], value)


def _reshape(writer: OnnxWriter, op: Any) -> None:
    shape = list(writer.graph.tensors[op.outputs[0]].shape)
    writer.write(op.outputs[0], writer.reshape(writer.read(op.inputs[0]), shape))


def _transpose(writer: OnnxWriter, op: Any) -> None:
    writer.write(
        op.outputs[0], writer.node("Transpose", [writer.read(op.inputs[0])], perm=op.attributes["permutation"])
    )


def _concat(writer: OnnxWriter, op: Any) -> None:
    rank = len(writer.graph.tensors[op.outputs[0]].shape)
    axis = op.attributes["axis"] % rank
    nchw = rank == 4
    inputs = [writer.read(i, nchw=nchw) for i in op.inputs]
    writer.write(op.outputs[0], writer.node("Concat", inputs, axis=(0, 2, 3, 1)[axis] if nchw else axis), nchw=nchw)


def _resize(mode: str) -> Callable[[OnnxWriter, Any], None]:
    def write(writer: OnnxWriter, op: Any) -> None:
        output = writer.graph.tensors[op.outputs[0]].shape
        align, half = op.attributes["align_corners"], op.attributes["half_pixel_centers"]
        attributes: dict[str, Any] = {
            "mode": mode,
            "coordinate_transformation_mode": "align_corners" if align else "half_pixel" if half else "asymmetric",
        }
        if mode == "nearest":
            attributes["nearest_mode"] = "round_prefer_ceil" if align or half else "floor"
        sizes = writer.integers([1, output[3], output[1], output[2]])
        value = writer.node("Resize", [writer.read(op.inputs[0], nchw=True), "", "", sizes], **attributes)
        writer.write(op.outputs[0], value, nchw=True)

    return write


def _argmax(writer: OnnxWriter, op: Any) -> None:
    rank = len(writer.graph.tensors[op.inputs[0]].shape)
    value = writer.node("ArgMax", [writer.read(op.inputs[0])], axis=op.attributes["axis"] % rank, keepdims=0)
    if writer.graph.tensors[op.outputs[0]].dtype == "s32":
        value = writer.node("Cast", [value], to=TensorProto.INT32)
    writer.write(op.outputs[0], value)


def _convert(writer: OnnxWriter, op: Any) -> None:
    nchw = writer.is_nchw(op.inputs[0])
    writer.write(op.outputs[0], writer.read(op.inputs[0], nchw=nchw), nchw=nchw)


_WRITERS: dict[str, Callable[[OnnxWriter, Any], None]] = {
    "conv2d": _convolution,
    "depthwise_conv2d": _convolution,
    "transpose_conv": _transpose_conv,
    "fully_connected": _fully_connected,
    "add": _binary("Add"),
    "mul": _binary("Mul"),
    "average_pool": _pool("AveragePool"),
    "max_pool": _pool("MaxPool"),
    "mean": _reduction("ReduceMean"),
    "reduce_max": _reduction("ReduceMax"),
    "pad": _pad,
    "reshape": _reshape,
    "transpose": _transpose,
    "concat": _concat,
    "resize_nearest": _resize("nearest"),
    "resize_bilinear": _resize("linear"),
    "softmax": _softmax,
    "logistic": _unary("Sigmoid"),
    "tanh": _unary("Tanh"),
    "hard_swish": _unary("HardSwish"),
    "leaky_relu": _leaky_relu,
    "prelu": _binary("PRelu"),
    "argmax": _argmax,
    "quantize": _convert,
    "dequantize": _convert,
}
