"""Graphs into TensorFlow Lite files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tinynas._core as _core
from tinynas.errors import InputError
from tinynas.tflite import schema
from tinynas.tflite.context import DTYPES
from tinynas.tflite.ir import GraphIR, GraphOperator, GraphTensor, from_json
from tinynas.tflite.writer import OperatorSpec, TensorSpec, TfliteWriter

TYPES = {dtype: name for name, dtype in DTYPES.items()}
ACTIVATIONS = {"none": 0, "relu": 1, "relu6": 3}
# Operators that may see float32: at the ends of an integer network.
FLOAT_KINDS = {"quantize", "dequantize", "reshape"}
FOUR_BIT_WEIGHTS = {"conv2d", "depthwise_conv2d", "fully_connected"}
CODES = {
    "conv2d": "CONV_2D",
    "depthwise_conv2d": "DEPTHWISE_CONV_2D",
    "transpose_conv": "TRANSPOSE_CONV",
    "fully_connected": "FULLY_CONNECTED",
    "add": "ADD",
    "mul": "MUL",
    "average_pool": "AVERAGE_POOL_2D",
    "max_pool": "MAX_POOL_2D",
    "mean": "MEAN",
    "reduce_max": "REDUCE_MAX",
    "pad": "PAD",
    "reshape": "RESHAPE",
    "transpose": "TRANSPOSE",
    "concat": "CONCATENATION",
    "resize_nearest": "RESIZE_NEAREST_NEIGHBOR",
    "resize_bilinear": "RESIZE_BILINEAR",
    "softmax": "SOFTMAX",
    "logistic": "LOGISTIC",
    "tanh": "TANH",
    "hard_swish": "HARD_SWISH",
    "leaky_relu": "LEAKY_RELU",
    "prelu": "PRELU",
    "argmax": "ARG_MAX",
    "quantize": "QUANTIZE",
    "dequantize": "DEQUANTIZE",
}


def save_tflite(graph: _core.Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph of int8 activations and int8 or int4 weights as a .tflite file.

    tflite-micro runs it to the same bytes.

    Raises InputError for graphs that are float, that have activations of 4 bits, that only describe sizes, or whose
    paddings of pools no file can say.
    """
    data = export_tflite(from_json(graph.to_json()))
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise InputError(f"[tflite] {path}: {error.strerror or error}") from None


def export_tflite(graph: GraphIR) -> bytes:
    """The bytes of the .tflite file of a graph."""
    exporter = _Exporter(graph)
    for index, op in enumerate(graph.operators):
        exporter.export(index, op)
    return exporter.writer.finish(graph.inputs, graph.outputs)


class _Exporter:
    """Tensors keep their indices; constants that only files have (shapes, axes, paddings) come after them."""

    def __init__(self, graph: GraphIR) -> None:
        self.graph = graph
        self.writer = TfliteWriter(graph.name or "main")
        # Runtimes have int4 FULLY_CONNECTED with one scale alone: with several the same values are written as int8.
        wide = {op.inputs[1] for op in graph.operators if op.kind == "fully_connected"}
        for index, tensor in enumerate(graph.tensors):
            widen = index in wide and tensor.dtype == "s4" and len(tensor.quantization.scale) > 1
            self.writer.tensor(_tensor_spec(_widened(tensor) if widen else tensor))

    def export(self, index: int, op: GraphOperator) -> None:
        tensors = [self.graph.tensors[i] for i in [*op.inputs, *op.outputs] if i >= 0]
        place = f"[tflite export] operator {index} ({op.kind} {op.name!r})"
        if op.kind not in FLOAT_KINDS and any(t.dtype == "f32" for t in tensors):
            raise InputError(f"{place}: expected int8 tensors, got f32; quantise the graph first")
        if any(t.dtype == "s4" and not t.constant for t in tensors):
            raise InputError(
                f"{place}: expected activations of 8 bits, got s4: TensorFlow Lite has no 4-bit activations"
            )
        if op.kind not in FOUR_BIT_WEIGHTS and any(t.dtype == "s4" for t in tensors):
            raise InputError(f"{place}: expected constants of 8 bits, got s4: no runtime has such a kernel")
        bare = [t.name for t in tensors if t.constant and not t.data]
        if bare:
            raise InputError(f"{place}: expected data in constant {bare[0]!r}, got a graph that only describes sizes")
        _EXPORTS.get(op.kind, _Exporter.plain)(self, op, place)

    def write(self, op: GraphOperator, inputs: Sequence[int], options: str = "", fields: Any = None) -> None:
        self.writer.operator(OperatorSpec(CODES[op.kind], inputs, op.outputs, options, fields or {}))

    def numbers(self, name: str, values: Any) -> int:
        """A constant int32 tensor."""
        array = np.asarray(values, "<i4")
        return self.writer.tensor(TensorSpec(name, array.shape, "INT32", data=array.tobytes()))

    def shape(self, index: int) -> tuple[int, ...]:
        return self.graph.tensors[index].shape

    def plain(self, op: GraphOperator, place: str) -> None:
        options = {"hard_swish": "HardSwishOptions", "quantize": "QuantizeOptions", "dequantize": "DequantizeOptions"}
        self.write(op, op.inputs, options.get(op.kind, ""))

    def convolution(self, op: GraphOperator, place: str) -> None:
        depthwise = op.kind == "depthwise_conv2d"
        x, weights = self.shape(op.inputs[0]), self.shape(op.inputs[1])
        fields = _window_fields(op) | {
            "dilation_h_factor": op.attributes.get("dilation_h", 1),
            "dilation_w_factor": op.attributes.get("dilation_w", 1),
        }
        source = op.inputs[0]
        padding = _padding(op, x, (weights[1], weights[2]))
        if padding is None:
            source = self._explicit_pad(op)
            padding = schema.PADDING_VALID
        fields["padding"] = padding
        if depthwise:
            fields["depth_multiplier"] = weights[3] // x[3]
        options = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        bias = [i for i in op.inputs[2:] if i >= 0]  # runtimes read past the tensors at -1
        self.write(op, [source, op.inputs[1], *bias], options, fields)

    def _explicit_pad(self, op: GraphOperator) -> int:
        top, left, bottom, right = (op.attributes.get(f"pad_{s}", 0) for s in ("top", "left", "bottom", "right"))
        x = self.graph.tensors[op.inputs[0]]
        shape = (1, x.shape[1] + top + bottom, x.shape[2] + left + right, x.shape[3])
        padded = self.writer.tensor(
            _tensor_spec(GraphTensor(f"{op.name}/padded", shape, x.dtype, quantization=x.quantization))
        )
        amounts = self.numbers(f"{op.name}/paddings", [[0, 0], [top, bottom], [left, right], [0, 0]])
        self.writer.operator(OperatorSpec("PAD", [op.inputs[0], amounts], [padded], "PadOptions"))
        return padded

    def transpose_conv(self, op: GraphOperator, place: str) -> None:
        out, weights = self.shape(op.outputs[0]), self.shape(op.inputs[1])
        padding = self._transpose_padding(op, out, weights)
        if padding is None:
            raise InputError(f"{place}: expected an output and padding of SAME or VALID without dilation")
        fields = _window_fields(op) | {"padding": padding}
        size = self.numbers(f"{op.name}/shape", out)
        bias = [i for i in op.inputs[2:] if i >= 0]
        self.write(op, [size, op.inputs[1], op.inputs[0], *bias], "TransposeConvOptions", fields)

    def _transpose_padding(self, op: GraphOperator, out: tuple[int, ...], weights: tuple[int, ...]) -> int | None:
        """SAME or VALID: the one under which a convolution of the output has the input's size."""
        a, x = op.attributes, self.shape(op.inputs[0])
        if (a.get("dilation_h", 1), a.get("dilation_w", 1)) != (1, 1):
            return None
        before = a.get("pad_top", 0), a.get("pad_left", 0)
        strides = a.get("stride_h", 1), a.get("stride_w", 1)
        sizes = list(zip(out[1:3], weights[1:3], strides, strict=True))
        same = tuple(_same_padding(size, kernel, stride, 1)[0] for size, kernel, stride in sizes)
        if before == same and all(-(-size // s) == n for (size, _, s), n in zip(sizes, x[1:3], strict=True)):
            return schema.PADDING_SAME
        if before == (0, 0) and all((size - k) // s + 1 == n for (size, k, s), n in zip(sizes, x[1:3], strict=True)):
            return schema.PADDING_VALID
        return None

    def fully_connected(self, op: GraphOperator, place: str) -> None:
        x, out = self.shape(op.inputs[0]), self.shape(op.outputs[0])
        keep = len(out) != 2
        if keep and x[:-1] != out[:-1]:
            raise InputError(f"{place}: expected an output {[*x[:-1], out[-1]]} or of 2 dimensions, got {list(out)}")
        fields = {"fused_activation_function": _activation(op), "keep_num_dims": keep}
        self.write(op, [*op.inputs, -1][:3], "FullyConnectedOptions", fields)

    def binary(self, op: GraphOperator, place: str) -> None:
        options = "AddOptions" if op.kind == "add" else "MulOptions"
        self.write(op, op.inputs, options, {"fused_activation_function": _activation(op)})

    def pool(self, op: GraphOperator, place: str) -> None:
        kernel = op.attributes.get("kernel_h", 1), op.attributes.get("kernel_w", 1)
        padding = _padding(op, self.shape(op.inputs[0]), kernel)
        if padding is None:
            raise InputError(f"{place}: a file can only say SAME or VALID for the padding of a pool")
        fields = _window_fields(op) | {"padding": padding, "filter_height": kernel[0], "filter_width": kernel[1]}
        self.write(op, op.inputs, "Pool2DOptions", fields)

    def reduction(self, op: GraphOperator, place: str) -> None:
        axes = self.numbers(f"{op.name}/axes", op.attributes.get("axes", []))
        self.write(op, [*op.inputs, axes], "ReducerOptions", {"keep_dims": op.attributes.get("keep_dims", True)})

    def pad(self, op: GraphOperator, place: str) -> None:
        amounts = self.numbers(f"{op.name}/paddings", op.attributes.get("amounts", []))
        self.write(op, [*op.inputs, amounts], "PadOptions")

    def reshape(self, op: GraphOperator, place: str) -> None:
        shape = self.shape(op.outputs[0])
        wanted = self.numbers(f"{op.name}/shape", shape)
        self.write(op, [*op.inputs, wanted], "ReshapeOptions", {"new_shape": shape})

    def transpose(self, op: GraphOperator, place: str) -> None:
        order = self.numbers(f"{op.name}/permutation", op.attributes["permutation"])
        self.write(op, [*op.inputs, order], "TransposeOptions")

    def concat(self, op: GraphOperator, place: str) -> None:
        axis = op.attributes.get("axis", -1) % len(self.shape(op.outputs[0]))
        self.write(op, op.inputs, "ConcatenationOptions", {"axis": axis})

    def resize(self, op: GraphOperator, place: str) -> None:
        size = self.numbers(f"{op.name}/size", self.shape(op.outputs[0])[1:3])
        fields = {key: op.attributes.get(key, False) for key in ("align_corners", "half_pixel_centers")}
        nearest = op.kind == "resize_nearest"
        options = "ResizeNearestNeighborOptions" if nearest else "ResizeBilinearOptions"
        self.write(op, [*op.inputs, size], options, fields)

    def softmax(self, op: GraphOperator, place: str) -> None:
        self.write(op, op.inputs, "SoftmaxOptions", {"beta": op.attributes.get("beta", 1.0)})

    def leaky_relu(self, op: GraphOperator, place: str) -> None:
        self.write(op, op.inputs, "LeakyReluOptions", {"alpha": op.attributes.get("alpha", 0.0)})

    def argmax(self, op: GraphOperator, place: str) -> None:
        rank = len(self.shape(op.inputs[0]))
        axis = self.numbers(f"{op.name}/axis", op.attributes.get("axis", -1) % rank)
        kind = schema.TYPE_CODES[TYPES[self.graph.tensors[op.outputs[0]].dtype]]
        self.write(op, [*op.inputs, axis], "ArgMaxOptions", {"output_type": kind})


_Export = Callable[[_Exporter, GraphOperator, str], None]
_EXPORTS: dict[str, _Export] = {
    "conv2d": _Exporter.convolution,
    "depthwise_conv2d": _Exporter.convolution,
    "transpose_conv": _Exporter.transpose_conv,
    "fully_connected": _Exporter.fully_connected,
    "add": _Exporter.binary,
    "mul": _Exporter.binary,
    "average_pool": _Exporter.pool,
    "max_pool": _Exporter.pool,
    "mean": _Exporter.reduction,
    "reduce_max": _Exporter.reduction,
    "pad": _Exporter.pad,
    "reshape": _Exporter.reshape,
    "transpose": _Exporter.transpose,
    "concat": _Exporter.concat,
    "resize_nearest": _Exporter.resize,
    "resize_bilinear": _Exporter.resize,
    "softmax": _Exporter.softmax,
    "leaky_relu": _Exporter.leaky_relu,
    "argmax": _Exporter.argmax,
}


def _widened(tensor: GraphTensor) -> GraphTensor:
    """An s4 constant as s8."""
    packed = np.frombuffer(tensor.data, np.uint8)
    nibbles = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[: int(np.prod(tensor.shape))]
    values = ((nibbles.astype(np.int8) ^ 8) - 8).astype(np.int8)
    return GraphTensor(tensor.name, tensor.shape, "s8", tensor.quantization, True, values.tobytes())


def _tensor_spec(tensor: GraphTensor) -> TensorSpec:
    q = tensor.quantization
    data = tensor.data if tensor.constant else None
    return TensorSpec(tensor.name, tensor.shape, TYPES[tensor.dtype], q.scale, q.zero_point, q.axis, data)


def _activation(op: GraphOperator) -> int:
    return ACTIVATIONS[op.attributes.get("activation", "none")]


def _window_fields(op: GraphOperator) -> dict[str, Any]:
    return {
        "stride_h": op.attributes.get("stride_h", 1),
        "stride_w": op.attributes.get("stride_w", 1),
        "fused_activation_function": _activation(op),
    }


def _same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TensorFlow's SAME: the odd pixel comes after."""
    total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return total // 2, total - total // 2


def _padding(op: GraphOperator, x: tuple[int, ...], kernel: tuple[int, int]) -> int | None:
    """The file's word for the padding of a window, None when it has none."""
    a = op.attributes
    pads = (
        (a.get("pad_top", 0), a.get("pad_bottom", 0)),
        (a.get("pad_left", 0), a.get("pad_right", 0)),
    )
    if pads == ((0, 0), (0, 0)):
        return schema.PADDING_VALID
    same = (
        _same_padding(x[1], kernel[0], a.get("stride_h", 1), a.get("dilation_h", 1)),
        _same_padding(x[2], kernel[1], a.get("stride_w", 1), a.get("dilation_w", 1)),
    )
    return schema.PADDING_SAME if pads == same else None
