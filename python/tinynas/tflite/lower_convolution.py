"""Convolutions, fully connected operators, padding, and dilation written as SPACE_TO_BATCH_ND."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynas.tflite import schema
from tinynas.tflite.context import (
    INTEGER_ADVICE,
    Context,
    PendingBlocks,
    PendingConvolution,
    PendingInsert,
    PendingPad,
    Value,
    activation_input,
    require_int8,
    require_multiplier,
    require_same_quantization,
)
from tinynas.tflite.file_model import FileOperator

MAX_STEP = 1 << 20


@dataclass(frozen=True)
class Axis:
    """Geometry of a window along one dimension, in pixels."""

    size: int
    kernel: int
    stride: int
    dilation: int

    @property
    def reach(self) -> int:
        """Pixels from the first to the last tap."""
        return (self.kernel - 1) * self.dilation + 1


def activation_name(op: FileOperator, code: int) -> str:
    """none, relu or relu6."""
    name = schema.ACTIVATION_NAMES.get(code, str(code))
    names = {"NONE": "none", "RELU": "relu", "RELU6": "relu6"}
    if name not in names:
        raise op.error(f"fused activation {name} is not supported", "use none, RELU or RELU6")
    return names[name]


def axis_padding(op: FileOperator, axis: Axis, padding: int) -> tuple[int, int]:
    """Pixels before and after: TensorFlow's SAME puts the odd one after; VALID has none."""
    if not (1 <= axis.stride <= MAX_STEP and 1 <= axis.dilation <= MAX_STEP and axis.kernel >= 1):
        raise op.error(
            f"expected kernel, stride and dilation of at least 1, got {axis.kernel}, {axis.stride}, {axis.dilation}"
        )
    if padding == schema.PADDING_VALID:
        return 0, 0
    if padding != schema.PADDING_SAME:
        raise op.error(f"expected padding SAME or VALID, got {padding}")
    outputs = -(-axis.size // axis.stride)
    total = max(0, (outputs - 1) * axis.stride + axis.reach - axis.size)
    return total // 2, total - total // 2


def axis_outputs(op: FileOperator, axis: Axis, before: int, after: int) -> int:
    """Window positions along a dimension."""
    room = axis.size + before + after - axis.reach
    if room < 0:
        raise op.error(f"the window of {axis.reach} pixels exceeds the padded input of {axis.size + before + after}")
    return room // axis.stride + 1


def map_axes(op: FileOperator, shape: tuple[int, ...], kernel: tuple[int, int], o: dict[str, Any]) -> tuple[Axis, Axis]:
    """Rows and columns of a feature map [1, H, W, C] under a window with the options `o`."""
    if len(shape) != 4 or shape[0] != 1:
        raise op.error(f"expected an input [1, H, W, C], got {list(shape)}", "set the batch to 1")
    rows = Axis(shape[1], kernel[0], o["stride_h"], o.get("dilation_h_factor", 1))
    return rows, Axis(shape[2], kernel[1], o["stride_w"], o.get("dilation_w_factor", 1))


def window_attributes(axes: tuple[Axis, Axis], pads: tuple[tuple[int, int], tuple[int, int]]) -> dict[str, Any]:
    """A `Window` of the graph, flattened."""
    rows, columns = axes
    return {
        "stride_h": rows.stride,
        "stride_w": columns.stride,
        "dilation_h": rows.dilation,
        "dilation_w": columns.dilation,
        "pad_top": pads[0][0],
        "pad_bottom": pads[0][1],
        "pad_left": pads[1][0],
        "pad_right": pads[1][1],
    }


def weights_input(ctx: Context, op: FileOperator, position: int, axis: int) -> Value:
    """Constant int8 or int4 weights: symmetric, per tensor or per channel along `axis`."""
    weights = ctx.input(op, position)
    if not weights.constant:
        raise op.error("its weights are computed while the network runs", "only constant weights are supported")
    tensor = weights.file
    if tensor.type not in ("INT8", "INT4"):
        what = {"FLOAT16": "a float16 model", "FLOAT32": "a float model", "UINT8": "the old uint8 quantisation"}
        raise op.error(f"its weights are {tensor.type.lower()} ({what.get(tensor.type, 'unknown')})", INTEGER_ADVICE)
    scales = tensor.scales
    if len(scales) == 0 or not np.all(np.isfinite(scales)) or not np.all(scales > 0):
        raise op.error("its weights need positive finite scales", INTEGER_ADVICE)
    if len(scales) > 1 and (tensor.axis != axis or len(scales) != weights.shape[axis]):
        raise op.error(
            f"expected {weights.shape[axis]} scales along axis {axis}, got {len(scales)} along axis {tensor.axis}"
        )
    if np.any(tensor.zero_points != 0):
        raise op.error("its weights have a zero point other than 0", INTEGER_ADVICE)
    return weights


def bias_tensor(ctx: Context, op: FileOperator, position: int, channels: int) -> int:
    """The graph's tensor of a constant int32 bias, -1 when there is none."""
    bias = ctx.optional(op, position)
    if bias is None:
        return -1
    if not bias.constant or bias.type != "INT32":
        advice = "16x8 models have an int64 bias; " + INTEGER_ADVICE if bias.type == "INT64" else INTEGER_ADVICE
        raise op.error(f"expected a constant int32 bias, got {bias.type}", advice)
    if bias.shape != (channels,):
        raise op.error(f"expected a bias of [{channels}], got {list(bias.shape)}")
    return ctx.tensor(op, bias)


def convolution(ctx: Context, op: FileOperator) -> None:
    """CONV_2D and DEPTHWISE_CONV_2D, with the padding of a PAD before them folded in."""
    x = _convolution_input(ctx, op)
    if isinstance(x.pending, PendingBlocks):
        _convolve_blocks(ctx, op, x)
        return
    options, kernel, channels = _geometry(ctx, op, x)
    axes = map_axes(op, x.shape, kernel, options)
    pads = axis_padding(op, axes[0], options["padding"]), axis_padding(op, axes[1], options["padding"])
    outputs = [axis_outputs(op, axis, *pad) for axis, pad in zip(axes, pads, strict=True)]
    source = x
    if isinstance(x.pending, PendingPad) and x.tensor is None:
        p = x.pending
        source = p.source
        pads = (pads[0][0] + p.top, pads[0][1] + p.bottom), (pads[1][0] + p.left, pads[1][1] + p.right)
    attributes = window_attributes(axes, pads)
    inputs = _operands(ctx, op, source, channels)
    ctx.emit(op, _kind(op), inputs, (1, outputs[0], outputs[1], channels), {**attributes, **_activation(op, options)})


def _convolution_input(ctx: Context, op: FileOperator) -> Value:
    x = ctx.input(op, 0)
    weights = ctx.input(op, 1)
    if x.type == "FLOAT32" and weights.type in ("INT8", "UINT8", "INT4"):
        raise op.error("float32 activations with quantised weights (a dynamic-range model)", INTEGER_ADVICE)
    return activation_input(ctx, op, 0)


def _kind(op: FileOperator) -> str:
    return "conv2d" if op.code == "CONV_2D" else "depthwise_conv2d"


def _geometry(ctx: Context, op: FileOperator, x: Value) -> tuple[dict[str, Any], tuple[int, int], int]:
    """Options, kernel size and number of output channels."""
    depthwise = op.code == "DEPTHWISE_CONV_2D"
    options = op.options("DepthwiseConv2DOptions" if depthwise else "Conv2DOptions")
    weights = ctx.input(op, 1)
    if len(weights.shape) != 4 or len(x.shape) != 4:
        raise op.error(f"expected weights and input of 4 dimensions, got {list(weights.shape)} and {list(x.shape)}")
    weights = weights_input(ctx, op, 1, 3 if depthwise else 0)
    first, kernel_h, kernel_w, last = weights.shape
    if depthwise and (first != 1 or last % x.shape[3] != 0):
        raise op.error(f"expected weights [1, kh, kw, multiple of {x.shape[3]}], got {list(weights.shape)}")
    if not depthwise and (x.shape[3] % last != 0 or first % (x.shape[3] // last) != 0):
        raise op.error(f"weights {list(weights.shape)} do not fit {x.shape[3]} input channels in groups")
    return options, (kernel_h, kernel_w), last if depthwise else first


def _operands(ctx: Context, op: FileOperator, source: Value, channels: int) -> list[int]:
    bias = bias_tensor(ctx, op, 2, channels)
    require_requantisation(ctx, op, source, ctx.input(op, 1))
    return [ctx.tensor(op, source), ctx.tensor(op, ctx.input(op, 1)), bias]


def require_requantisation(ctx: Context, op: FileOperator, x: Value, weights: Value) -> None:
    """An int8 output whose scale the sums of products can be brought to."""
    output = ctx.only_output(op)
    require_int8(op, output, "the output")
    step = float(x.file.scales[0]) / float(output.scales[0])
    require_multiplier(op, step * float(np.max(weights.file.scales)))


def _activation(op: FileOperator, options: dict[str, Any]) -> dict[str, Any]:
    return {"activation": activation_name(op, options["fused_activation_function"])}


def fully_connected(ctx: Context, op: FileOperator) -> None:
    """FULLY_CONNECTED; an input of more dimensions is read as rows of as many values as the weights have inputs."""
    options = op.options("FullyConnectedOptions")
    x = _convolution_input(ctx, op)
    if len(ctx.input(op, 1).shape) != 2:
        raise op.error(f"expected weights [outputs, inputs], got {list(ctx.input(op, 1).shape)}")
    weights = weights_input(ctx, op, 1, 0)
    if options["weights_format"] != 0:
        raise op.error("shuffled weights are not supported", "convert again without the shuffled format")
    outputs, inputs = weights.shape
    elements = math.prod(x.shape)
    if elements % inputs != 0:
        raise op.error(f"an input of {elements} values does not divide into rows of {inputs}")
    shape: tuple[int, ...] = (elements // inputs, outputs)
    if options["keep_num_dims"]:
        if not x.shape or x.shape[-1] != inputs:
            raise op.error(f"expected {inputs} values in the last dimension, got {list(x.shape)}")
        shape = (*x.shape[:-1], outputs)
    ctx.emit(op, "fully_connected", _operands(ctx, op, x, outputs), shape, _activation(op, options))


def pad(ctx: Context, op: FileOperator) -> None:
    """PAD, and PADV2 whose value is the zero point; around rows and columns it waits for a convolution."""
    x = activation_input(ctx, op, 0)
    amounts = ctx.integers(op, ctx.input(op, 1), "the paddings")
    if amounts.shape != (len(x.shape), 2) or np.any(amounts < 0) or np.any(amounts >= MAX_STEP):
        raise op.error(f"expected {len(x.shape)} pairs of paddings from 0 to {MAX_STEP - 1}, got {amounts.tolist()}")
    output = ctx.output(op)
    require_int8(op, output, "the output")
    require_same_quantization(op, x.file, output)
    if op.code == "PADV2":
        value = ctx.input(op, 2)
        if value.data != np.int8(x.file.zero_points[0]).tobytes() or not same_scale(value, x):
            raise op.error("pads with a value other than zero", "pad with zeros")
    shape = tuple(int(d + a + b) for d, (a, b) in zip(x.shape, amounts, strict=True))
    (top, bottom), (left, right) = ((0, 0), (0, 0)) if len(shape) != 4 else amounts[1:3].tolist()
    if len(shape) == 4 and not np.any(amounts[[0, 3]]):
        pending = PendingPad(x, top, left, bottom, right)
        ctx.define(op, Value(output, shape, pending=pending, op=op))
        return
    ctx.emit(op, "pad", [ctx.tensor(op, x)], shape, {"amounts": amounts.tolist()})


def same_scale(a: Value, b: Value) -> bool:
    """Equal scale and zero point."""
    return np.array_equal(a.file.scales, b.file.scales) and np.array_equal(a.file.zero_points, b.file.zero_points)


def write_pad(ctx: Context, value: Value) -> int:
    """The padding that no convolution has absorbed."""
    p, op = value.pending, value.op
    assert isinstance(p, PendingPad) and op is not None
    amounts = [[0, 0], [p.top, p.bottom], [p.left, p.right], [0, 0]]
    return ctx.emit_into(op, "pad", [ctx.tensor(op, p.source)], (value.file, value.shape), {"amounts": amounts})


def space_to_batch(ctx: Context, op: FileOperator) -> None:
    """SPACE_TO_BATCH_ND of rows and columns: the first third of a dilated convolution."""
    x = activation_input(ctx, op, 0)
    block, pads = _blocks(ctx, op, "the paddings")
    output = ctx.output(op)
    require_same_quantization(op, x.file, output)
    _require_blocks_rank(ctx, op, x)
    source = x
    if len(x.shape) == 3:  # a convolution over time: one row
        source = Value(x.file, (1, *x.shape), pending=PendingInsert(x, 1, 1), op=op)
    padded = [source.shape[d + 1] + sum(pads[d]) for d in range(2)]
    if any(size % step for size, step in zip(padded, block, strict=True)):
        raise op.error(f"the padded input {padded} does not divide into blocks of {list(block)}")
    rows = (padded[0] // block[0],) if len(x.shape) == 4 else ()
    shape = (block[0] * block[1], *rows, padded[1] // block[1], x.shape[-1])
    ctx.define(op, Value(output, shape, pending=PendingBlocks(source, block, pads), op=op))


def _require_blocks_rank(ctx: Context, op: FileOperator, x: Value) -> None:
    dimensions = ctx.input(op, 1).shape
    if x.shape[:1] == () or len(dimensions) != 1 or len(x.shape) != dimensions[0] + 2:
        raise op.error(
            f"expected an input [N, H, W, C] or [N, T, C] for a block of {list(dimensions)}, got {list(x.shape)}"
        )
    if op.code == "SPACE_TO_BATCH_ND" and x.shape[0] != 1:
        raise op.error(f"expected an input of batch 1, got {list(x.shape)}")


def _blocks(
    ctx: Context, op: FileOperator, what: str
) -> tuple[tuple[int, int], tuple[tuple[int, int], tuple[int, int]]]:
    """The block's size, and pairs of paddings or crops."""
    block = ctx.integers(op, ctx.input(op, 1), "the block's shape")
    edges = ctx.integers(op, ctx.input(op, 2), what)
    if block.shape == (1,) and edges.shape == (1, 2):
        block, edges = np.concatenate([[1], block]), np.concatenate([[[0, 0]], edges])
    if block.shape != (2,) or edges.shape != (2, 2):
        raise op.error("only blocks of rows and columns are supported", "use a convolution with dilation")
    if np.any(block < 1) or np.any(edges < 0) or np.any(block > MAX_STEP) or np.any(edges > MAX_STEP):
        raise op.error(
            f"expected blocks of at least 1 and {what} of at least 0, got {block.tolist()}, {edges.tolist()}"
        )
    (top, bottom), (left, right) = edges.tolist()
    return (int(block[0]), int(block[1])), ((top, bottom), (left, right))


def _convolve_blocks(ctx: Context, op: FileOperator, x: Value) -> None:
    blocks = x.pending
    assert isinstance(blocks, PendingBlocks)
    options, kernel, channels = _geometry(ctx, op, x)
    plain = (options["stride_h"], options["stride_w"], options["dilation_h_factor"], options["dilation_w_factor"])
    if options["padding"] != schema.PADDING_VALID or plain != (1, 1, 1, 1):
        raise op.error("a convolution over SPACE_TO_BATCH_ND needs padding VALID, stride 1 and dilation 1")
    rows, columns = x.shape[1] - kernel[0] + 1, x.shape[2] - kernel[1] + 1
    value = Value(ctx.output(op), (x.shape[0], rows, columns, channels), pending=PendingConvolution(blocks, op), op=op)
    ctx.define(op, value)


def batch_to_space(ctx: Context, op: FileOperator) -> None:
    """BATCH_TO_SPACE_ND after a convolution over blocks: writes the dilated convolution that the three are."""
    x = ctx.input(op, 0)
    if not isinstance(x.pending, PendingConvolution):
        raise op.error(
            "only supported around one convolution (SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND)",
            "convert the model with batch 1, which writes a dilated convolution",
        )
    _require_blocks_rank(ctx, op, x)
    blocks, conv = x.pending.blocks, x.pending.op
    block, crops = _blocks(ctx, op, "the crops")
    if block != blocks.block:
        raise op.error(f"expected blocks of {list(blocks.block)}, got {list(block)}")
    require_same_quantization(op, x.file, ctx.output(op))
    options, kernel, channels = _geometry(ctx, conv, blocks.source)
    shape = blocks.source.shape
    axes = Axis(shape[1], kernel[0], 1, block[0]), Axis(shape[2], kernel[1], 1, block[1])
    pads = [(p[0] - c[0], p[1] - c[1]) for p, c in zip(blocks.pads, crops, strict=True)]
    if any(edge < 0 for pair in pads for edge in pair):
        raise op.error(f"crops {crops} exceed the paddings {blocks.pads} of the blocks")
    outputs = [axis_outputs(op, axis, *pair) for axis, pair in zip(axes, pads, strict=True)]
    attributes = {**window_attributes(axes, (pads[0], pads[1])), **_activation(conv, options)}
    inputs = _operands(ctx, conv, blocks.source, channels)
    result = (1, outputs[0], outputs[1], channels)
    if len(x.shape) == 4:
        ctx.emit(op, _kind(conv), inputs, result, attributes)
        return
    row = ctx.emit_into(op, _kind(conv), inputs, (ctx.output(op), result), attributes)
    ctx.emit(op, "reshape", [row], (1, outputs[1], channels), {})


def refuse_blocks(ctx: Context, value: Value) -> int:
    """Blocks, or a convolution of them, that something else reads."""
    op = value.op
    assert op is not None
    raise op.error(
        "its output is read by an operator that cannot work on blocks",
        "convert the model with batch 1, which writes a dilated convolution",
    )


def transpose_conv(ctx: Context, op: FileOperator) -> None:
    """TRANSPOSE_CONV: inputs are the output's shape, the weights, x and perhaps a bias."""
    options = op.options("TransposeConvOptions")
    wanted = ctx.integers(op, ctx.input(op, 0), "the output's shape").reshape(-1).tolist()
    x = activation_input(ctx, op, 2)
    if len(ctx.input(op, 1).shape) != 4 or len(wanted) != 4:
        raise op.error("expected weights and an output shape of 4 dimensions")
    weights = weights_input(ctx, op, 1, 0)
    if weights.file.type == "INT4":
        raise op.error("its weights are int4, for which no runtime has a kernel", "keep them at int8")
    channels, kernel_h, kernel_w, depth = weights.shape
    axes = map_axes(op, x.shape, (kernel_h, kernel_w), options)
    if depth != x.shape[3] or wanted[3] != channels:
        raise op.error(f"weights {list(weights.shape)} do not fit input {list(x.shape)} and output {wanted}")
    pads = []
    for axis, size in zip(axes, wanted[1:3], strict=True):
        mirrored = Axis(size, axis.kernel, axis.stride, 1)
        before, after = axis_padding(op, mirrored, options["padding"])
        if axis_outputs(op, mirrored, before, after) != axis.size:
            raise op.error(f"an output of {size} pixels does not belong to an input of {axis.size}")
        pads.append((before, (axis.size - 1) * axis.stride + axis.kernel - before - size))
    attributes = {**window_attributes(axes, (pads[0], pads[1])), **_activation(op, options)}
    bias = bias_tensor(ctx, op, 3, channels)
    require_requantisation(ctx, op, x, weights)
    inputs = [ctx.tensor(op, x), ctx.tensor(op, weights), bias]
    ctx.emit(op, "transpose_conv", inputs, (1, wanted[1], wanted[2], channels), attributes)
