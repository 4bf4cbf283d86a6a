"""Sums, products, activations, pools, reductions, concatenation, resizing and changes of type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinynas.tflite.context import (
    DTYPES,
    INTEGER_ADVICE,
    Context,
    Value,
    activation_input,
    require_int8,
    require_multiplier,
    require_quantized,
    require_same_quantization,
    resolve_axis,
)
from tinynas.tflite.file_model import FileOperator, FileTensor
from tinynas.tflite.lower_convolution import activation_name, axis_outputs, axis_padding, map_axes, window_attributes


def broadcast(op: FileOperator, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of two operands, as in numpy."""
    try:
        return tuple(int(d) for d in np.broadcast_shapes(a, b))
    except ValueError:
        raise op.error(f"shapes {list(a)} and {list(b)} do not broadcast") from None


def binary(ctx: Context, op: FileOperator) -> None:
    """ADD and MUL of int8, either of which may be a constant."""
    options = op.options("AddOptions" if op.code == "ADD" else "MulOptions")
    a, b = activation_input(ctx, op, 0), activation_input(ctx, op, 1)
    if a.constant and b.constant:
        raise op.error("both operands are constants", "let the converter fold them")
    require_int8(op, ctx.output(op), "the output")
    attributes = {"activation": activation_name(op, options["fused_activation_function"])}
    if op.code == "MUL":
        require_multiplier(op, float(b.file.scales[0]) * _step(op, a.file, ctx.output(op)))
    else:
        require_multiplier(op, max(_step(op, v.file, ctx.output(op)) for v in (a, b)))
    inputs = [ctx.tensor(op, a), ctx.tensor(op, b)]
    ctx.emit(op, op.code.lower(), inputs, broadcast(op, a.shape, b.shape), attributes)


def _step(op: FileOperator, x: FileTensor, output: FileTensor) -> float:
    """How many steps of the output one step of the input is."""
    return float(x.scales[0]) / float(output.scales[0])


def prelu(ctx: Context, op: FileOperator) -> None:
    """PRELU with a constant or computed alpha that broadcasts to the input."""
    x, alpha = activation_input(ctx, op, 0), activation_input(ctx, op, 1)
    require_int8(op, ctx.output(op), "the output")
    step = _step(op, x.file, ctx.output(op))
    require_multiplier(op, max(step, step * float(alpha.file.scales[0])))
    if broadcast(op, x.shape, alpha.shape) != x.shape:
        raise op.error(f"alpha {list(alpha.shape)} does not broadcast to {list(x.shape)}")
    ctx.emit(op, "prelu", [ctx.tensor(op, x), ctx.tensor(op, alpha)], x.shape, {})


def _fixed_output(op: FileOperator, tensor: FileTensor, scale: float, zero_point: int) -> None:
    require_int8(op, tensor, "the output")
    got = float(tensor.scales[0]), int(tensor.zero_points[0])
    if got != (scale, zero_point):
        raise op.error(f"expected an output scale of {scale} with zero point {zero_point}, got {got[0]} and {got[1]}")


def unary(ctx: Context, op: FileOperator) -> None:
    """LOGISTIC, TANH, HARD_SWISH, LEAKY_RELU and SOFTMAX, whose output has the input's shape."""
    x = activation_input(ctx, op, 0)
    output = ctx.output(op)
    attributes: dict[str, Any] = {}
    if op.code in ("LOGISTIC", "SOFTMAX"):
        _fixed_output(op, output, 1.0 / 256, -128)
    elif op.code == "TANH":
        _fixed_output(op, output, 1.0 / 128, 0)
    require_int8(op, output, "the output")
    step = _step(op, x.file, output)
    require_multiplier(op, step)
    if op.code == "SOFTMAX":
        attributes["beta"] = _finite(op, op.options("SoftmaxOptions")["beta"], "beta")
        if attributes["beta"] <= 0 or not x.shape:
            raise op.error(f"expected a positive beta and a dimension to sum over, got {attributes['beta']}")
    if op.code == "LEAKY_RELU":
        attributes["alpha"] = _finite(op, op.options("LeakyReluOptions")["alpha"], "alpha")
        require_multiplier(op, step * max(1.0, abs(attributes["alpha"])))
    ctx.emit(op, op.code.lower(), [ctx.tensor(op, x)], x.shape, attributes)


def _finite(op: FileOperator, value: float, what: str) -> float:
    if not math.isfinite(value):
        raise op.error(f"expected a finite {what}, got {value}")
    return value


def relu(ctx: Context, op: FileOperator) -> None:
    """RELU and RELU6 on their own: a requantisation where scales differ, then a clamp (a pool of one pixel)."""
    x = activation_input(ctx, op, 0)
    output = ctx.output(op)
    require_int8(op, output, "the output")
    require_multiplier(op, _step(op, x.file, output))
    source = ctx.tensor(op, x)
    if not (np.array_equal(x.file.scales, output.scales) and np.array_equal(x.file.zero_points, output.zero_points)):
        source = ctx.emit_into(op, "quantize", [source], (output, x.shape), {})
    flat = (1, 1, math.prod(x.shape[:-1]), x.shape[-1]) if x.shape else (1, 1, 1, 1)
    shape = x.shape if len(x.shape) == 4 and x.shape[0] == 1 else flat
    if shape != x.shape:
        source = ctx.emit_into(op, "reshape", [source], (output, shape), {})
    ones = dict.fromkeys(("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    zeros = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), 0)
    attributes = {**ones, **zeros, "activation": op.code.lower()}
    if shape == x.shape:
        ctx.emit(op, "max_pool", [source], shape, attributes)
        return
    clamped = ctx.emit_into(op, "max_pool", [source], (output, shape), attributes)
    ctx.emit(op, "reshape", [clamped], x.shape, {})


def pool(ctx: Context, op: FileOperator) -> None:
    """AVERAGE_POOL_2D and MAX_POOL_2D; the padding takes no part in either."""
    options = op.options("Pool2DOptions")
    x = activation_input(ctx, op, 0)
    output = ctx.output(op)
    require_int8(op, output, "the output")
    require_same_quantization(op, x.file, output)
    kernel = options["filter_height"], options["filter_width"]
    axes = map_axes(op, x.shape, kernel, options)
    pads = [axis_padding(op, axis, options["padding"]) for axis in axes]
    outputs = [axis_outputs(op, axis, *pair) for axis, pair in zip(axes, pads, strict=True)]
    attributes = {
        **window_attributes(axes, (pads[0], pads[1])),
        "kernel_h": kernel[0],
        "kernel_w": kernel[1],
        "activation": activation_name(op, options["fused_activation_function"]),
    }
    kind = "average_pool" if op.code == "AVERAGE_POOL_2D" else "max_pool"
    ctx.emit(op, kind, [ctx.tensor(op, x)], (1, outputs[0], outputs[1], x.shape[3]), attributes)


def reduction(ctx: Context, op: FileOperator) -> None:
    """MEAN and REDUCE_MAX over constant axes."""
    x = activation_input(ctx, op, 0)
    output = ctx.output(op)
    require_int8(op, output, "the output")
    require_multiplier(op, _step(op, x.file, output))
    if op.code == "REDUCE_MAX":
        require_same_quantization(op, x.file, output)
    given = ctx.integers(op, ctx.input(op, 1), "the axes").reshape(-1).tolist()
    axes = sorted({resolve_axis(op, axis, len(x.shape)) for axis in given})
    if not axes:
        raise op.error("expected at least one axis")
    keep = bool(op.options("ReducerOptions")["keep_dims"])
    shape = tuple(1 if d in axes else size for d, size in enumerate(x.shape) if keep or d not in axes)
    kind = "mean" if op.code == "MEAN" else "reduce_max"
    ctx.emit(op, kind, [ctx.tensor(op, x)], shape, {"axes": axes, "keep_dims": keep})


def argmax(ctx: Context, op: FileOperator) -> None:
    """ARG_MAX along a constant axis, which disappears; the result is int32 or int64."""
    x = activation_input(ctx, op, 0)
    output = ctx.output(op)
    if output.type not in ("INT32", "INT64"):
        raise op.error(f"expected an int32 or int64 output, got {output.type}")
    numbers = ctx.integers(op, ctx.input(op, 1), "the axis").reshape(-1)
    if numbers.size != 1:
        raise op.error(f"expected one axis, got {numbers.tolist()}")
    axis = resolve_axis(op, int(numbers[0]), len(x.shape))
    shape = tuple(size for d, size in enumerate(x.shape) if d != axis)
    ctx.emit(op, "argmax", [ctx.tensor(op, x)], shape, {"axis": axis})


def concatenation(ctx: Context, op: FileOperator) -> None:
    """CONCATENATION on any axis of tensors with equal scales."""
    options = op.options("ConcatenationOptions")
    if options["fused_activation_function"] != 0:
        raise op.error("a fused activation is not supported", "use none")
    parts = [activation_input(ctx, op, i) for i in range(len(op.inputs))]
    if not parts:
        raise op.error("expected at least one input")
    output = ctx.output(op)
    for part in parts:
        require_same_quantization(op, part.file, output)
    rank = len(parts[0].shape)
    axis = resolve_axis(op, options["axis"], rank)
    rest = {p.shape[:axis] + p.shape[axis + 1 :] for p in parts if len(p.shape) == rank}
    if len(rest) != 1 or any(len(p.shape) != rank for p in parts):
        raise op.error(f"shapes {[list(p.shape) for p in parts]} do not concatenate on axis {axis}")
    shape = list(parts[0].shape)
    shape[axis] = sum(p.shape[axis] for p in parts)
    ctx.emit(op, "concat", [ctx.tensor(op, p) for p in parts], tuple(shape), {"axis": axis})


def resize(ctx: Context, op: FileOperator) -> None:
    """RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR to a constant size."""
    nearest = op.code == "RESIZE_NEAREST_NEIGHBOR"
    options = op.options("ResizeNearestNeighborOptions" if nearest else "ResizeBilinearOptions")
    x = activation_input(ctx, op, 0)
    require_same_quantization(op, x.file, ctx.output(op))
    size = ctx.integers(op, ctx.input(op, 1), "the size").reshape(-1).tolist()
    if len(size) != 2 or len(x.shape) != 4 or x.shape[0] != 1:
        raise op.error(f"expected an input [1, H, W, C] and two sizes, got {list(x.shape)} and {size}")
    if options["align_corners"] and options["half_pixel_centers"]:
        raise op.error("align_corners and half_pixel_centers exclude each other")
    kind = "resize_nearest" if nearest else "resize_bilinear"
    ctx.emit(op, kind, [ctx.tensor(op, x)], (1, size[0], size[1], x.shape[3]), options)


def quantize(ctx: Context, op: FileOperator) -> None:
    """QUANTIZE: float32 at the entrance, or uint8 and int8 with other scales."""
    x, output = ctx.input(op, 0), ctx.output(op)
    _require_runtime(op, x)
    if output.type not in ("INT8", "UINT8") or x.type not in ("FLOAT32", "INT8", "UINT8"):
        raise op.error(f"from {x.type} to {output.type} is not supported", INTEGER_ADVICE)
    require_quantized(op, output, "the output")
    if x.type != "FLOAT32":
        require_quantized(op, x.file, "the input")
        require_multiplier(op, _step(op, x.file, output))
    ctx.emit(op, "quantize", [ctx.tensor(op, x)], x.shape, {})


def dequantize(ctx: Context, op: FileOperator) -> None:
    """DEQUANTIZE of int8 or uint8 at the exit."""
    x, output = ctx.input(op, 0), ctx.output(op)
    if x.type == "FLOAT16":
        raise op.error("the weights are float16 (a float16 model)", INTEGER_ADVICE)
    if x.constant:
        raise op.error(
            f"it turns {DTYPES.get(x.type, x.type)} weights into float32 (a weight-only model)", INTEGER_ADVICE
        )
    if x.type not in ("INT8", "UINT8") or output.type != "FLOAT32":
        raise op.error(f"from {x.type} to {output.type} is not supported", INTEGER_ADVICE)
    require_quantized(op, x.file, "the input")
    ctx.emit(op, "dequantize", [ctx.tensor(op, x)], x.shape, {})


def _require_runtime(op: FileOperator, x: Value) -> None:
    if x.constant:
        raise op.error("its input is a constant", "let the converter fold it")
