"""Operators that move values or rename dimensions, and the arithmetic on shapes that converters leave in files."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinynas.tflite.context import (
    Context,
    PendingBlocks,
    PendingConvolution,
    PendingInsert,
    Value,
    require_quantized,
    require_same_quantization,
    resolve_axis,
)
from tinynas.tflite.file_model import MAX_RANK, FileOperator, FileTensor

MAX_NUMBERS = 64  # of a shape computation


def moved_input(ctx: Context, op: FileOperator) -> Value:
    """An input whose bytes reach the output unchanged: int8, or float32 and uint8 at the ends; small integers."""
    x = ctx.input(op, 0)
    output = ctx.output(op)
    if x.type != output.type:
        raise op.error(f"expected equal element types, got {x.type} and {output.type}")
    if x.constant and x.type in ("INT32", "INT64"):
        return x
    if x.type not in ("INT8", "UINT8", "FLOAT32"):
        raise op.error(f"its input is {x.type}", "only int8, uint8 and float32 are moved")
    if x.type != "FLOAT32":
        require_quantized(op, x.file, "the input")
        require_same_quantization(op, x.file, output)
    return x


def rename(ctx: Context, op: FileOperator, x: Value, shape: tuple[int, ...]) -> None:
    """The output of `op` is `x` in another shape."""
    if x.data is not None:
        ctx.define(op, Value(ctx.output(op), shape, data=x.data))
        return
    row_added, row_removed = (*x.shape[:1], 1, *x.shape[1:]) == shape, (*shape[:1], 1, *shape[1:]) == x.shape
    if isinstance(x.pending, PendingBlocks | PendingConvolution) and (row_added or row_removed):
        ctx.define(op, Value(ctx.output(op), shape, pending=x.pending, op=op))  # a convolution over time, in blocks
        return
    ctx.emit(op, "reshape", [ctx.tensor(op, x)], shape, {})


def reshape(ctx: Context, op: FileOperator) -> None:
    """RESHAPE to a constant or folded shape, one dimension of which may be -1; ends a repetition (TILE form)."""
    x = moved_input(ctx, op)
    given = ctx.optional(op, 1)
    if given is not None:
        wanted = tuple(ctx.integers(op, given, "the new shape").reshape(-1).tolist())
    else:
        stored = op.options("ReshapeOptions")["new_shape"]
        if stored is None:
            raise op.error("it has no new shape")
        wanted = stored
    shape = _complete(op, wanted, math.prod(x.shape))
    insert = x.pending
    if isinstance(insert, PendingInsert) and x.tensor is None and insert.times > 1:
        source = insert.source.shape
        merged = list(source)
        merged[insert.axis - 1] *= insert.times
        if shape == tuple(merged):
            _repeat(ctx, op, insert.source, shape)
            return
    rename(ctx, op, x, shape)


def _complete(op: FileOperator, wanted: tuple[int, ...], elements: int) -> tuple[int, ...]:
    if len(wanted) > MAX_RANK or sum(d == -1 for d in wanted) > 1 or any(d < -1 or d == 0 for d in wanted):
        raise op.error(f"expected a shape of at most {MAX_RANK} dimensions, one of them -1, got {list(wanted)}")
    rest = math.prod(d for d in wanted if d != -1)
    shape = tuple(elements // rest if d == -1 else d for d in wanted)
    if math.prod(shape) != elements:
        raise op.error(f"expected a shape of {elements} elements, got {list(wanted)}")
    return shape


def _repeat(ctx: Context, op: FileOperator, source: Value, shape: tuple[int, ...]) -> None:
    """Write the repetition of rows or columns as a nearest-neighbour resizing, which it is wherever rounding agrees."""
    before = source.shape
    grown = [d for d in range(len(shape)) if shape[d] != before[d]]
    if len(before) != 4 or before[0] != 1 or any(d not in (1, 2) for d in grown):
        raise op.error(f"repeating {list(before)} to {list(shape)} is not supported", "only rows and columns repeat")
    for d in grown:
        scale = np.float32(before[d]) / np.float32(shape[d])
        positions = np.arange(shape[d], dtype=np.int64)
        sources = np.floor(positions.astype(np.float32) * scale).astype(np.int64)
        if not np.array_equal(sources, positions // (shape[d] // before[d])):
            raise op.error(
                f"repeating {before[d]} to {shape[d]} pixels is not supported", "use RESIZE_NEAREST_NEIGHBOR"
            )
    attributes = {"align_corners": False, "half_pixel_centers": False}
    ctx.emit(op, "resize_nearest", [ctx.tensor(op, source)], shape, attributes)


def expand_dims(ctx: Context, op: FileOperator) -> None:
    """EXPAND_DIMS: a dimension of 1 that waits for a TILE."""
    x = moved_input(ctx, op)
    numbers = ctx.integers(op, ctx.input(op, 1), "the axis").reshape(-1)
    if numbers.size != 1 or len(x.shape) >= MAX_RANK:
        raise op.error(f"expected one axis of at most {MAX_RANK} dimensions, got {numbers.tolist()}")
    axis = resolve_axis(op, int(numbers[0]), len(x.shape) + 1)
    shape = (*x.shape[:axis], 1, *x.shape[axis:])
    if x.constant or len(x.shape) != 4 or axis == 0:
        rename(ctx, op, x, shape)
        return
    ctx.define(op, Value(ctx.output(op), shape, pending=PendingInsert(x, axis, 1), op=op))


def write_insert(ctx: Context, value: Value) -> int:
    """An inserted dimension that no RESHAPE has merged."""
    insert, op = value.pending, value.op
    assert isinstance(insert, PendingInsert) and op is not None
    if insert.times != 1:
        raise op.error(
            "repeating values is only supported as upsampling of rows or columns", "use RESIZE_NEAREST_NEIGHBOR"
        )
    return ctx.emit_into(op, "reshape", [ctx.tensor(op, insert.source)], (value.file, value.shape), {})


def tile(ctx: Context, op: FileOperator) -> None:
    """TILE of an inserted dimension (upsampling), or of maps of one row or column."""
    x = moved_input(ctx, op)
    times = ctx.integers(op, ctx.input(op, 1), "the multiples").reshape(-1).tolist()
    if len(times) != len(x.shape) or any(not 1 <= t <= 1 << 20 for t in times):
        raise op.error(f"expected {len(x.shape)} multiples of at least 1, got {times}")
    shape = tuple(d * t for d, t in zip(x.shape, times, strict=True))
    if x.data is not None:
        raise op.error("its input is a constant", "let the converter fold it")
    repeated = [d for d, t in enumerate(times) if t > 1]
    insert = x.pending
    if isinstance(insert, PendingInsert) and insert.times == 1 and repeated == [insert.axis]:
        pending = PendingInsert(insert.source, insert.axis, times[insert.axis])
        ctx.define(op, Value(ctx.output(op), shape, pending=pending, op=op))
    elif any(x.shape[d] != 1 for d in repeated):
        raise op.error(f"multiples {times} of {list(x.shape)} are not supported", "use RESIZE_NEAREST_NEIGHBOR")
    elif not repeated:
        rename(ctx, op, x, shape)
    else:
        _repeat(ctx, op, x, shape)


def squeeze(ctx: Context, op: FileOperator) -> None:
    """SQUEEZE: removes the dimensions of 1 that it names, or all."""
    x = moved_input(ctx, op)
    named = op.options("SqueezeOptions")["squeeze_dims"] or ()
    axes = {resolve_axis(op, axis, len(x.shape)) for axis in named}
    if any(x.shape[axis] != 1 for axis in axes):
        raise op.error(f"cannot remove dimensions {sorted(axes)} of {list(x.shape)}")
    shape = tuple(size for d, size in enumerate(x.shape) if (d not in axes if axes else size != 1))
    rename(ctx, op, x, shape)


def transpose(ctx: Context, op: FileOperator) -> None:
    """TRANSPOSE; when only dimensions of 1 change places the values stay where they are."""
    x = moved_input(ctx, op)
    order = ctx.integers(op, ctx.input(op, 1), "the permutation").reshape(-1).tolist()
    order = [resolve_axis(op, axis, len(x.shape)) for axis in order]
    if sorted(order) != list(range(len(x.shape))):
        raise op.error(f"expected a permutation of {len(x.shape)} axes, got {order}")
    shape = tuple(x.shape[axis] for axis in order)
    moved = [axis for axis in order if x.shape[axis] != 1]
    if moved == sorted(moved):
        rename(ctx, op, x, shape)
    elif x.constant:
        raise op.error("its input is a constant", "let the converter fold it")
    else:
        ctx.emit(op, "transpose", [ctx.tensor(op, x)], shape, {"permutation": order})


# Shape computations: everything is known while importing.


def shape_of(ctx: Context, op: FileOperator) -> None:
    """SHAPE: the propagated shape, batch 1."""
    ctx.define_integers(op, np.array(ctx.input(op, 0).shape, np.int64))


def _numbers(ctx: Context, op: FileOperator, position: int) -> NDArray[np.int64]:
    array = ctx.integers(op, ctx.input(op, position), f"input {position}")
    if array.size > MAX_NUMBERS:
        raise op.error(f"expected at most {MAX_NUMBERS} numbers, got {array.size}")
    return array


def strided_slice(ctx: Context, op: FileOperator) -> None:
    """STRIDED_SLICE of a computed shape; slices of activations are refused."""
    o = op.options("StridedSliceOptions")
    array = _numbers(ctx, op, 0)
    begin, end, stride = (_numbers(ctx, op, i).reshape(-1).tolist() for i in (1, 2, 3))
    plain = array.ndim == 1 and len(begin) == len(end) == len(stride) == 1 and stride[0] != 0
    if not plain or o["ellipsis_mask"] or o["new_axis_mask"]:
        raise op.error("only slices of a shape are supported")
    if o["shrink_axis_mask"] & 1:
        index = resolve_axis(op, int(begin[0]), array.size)
        ctx.define_integers(op, array[index].reshape(()))
        return
    first = None if o["begin_mask"] & 1 else int(begin[0])
    last = None if o["end_mask"] & 1 else int(end[0])
    ctx.define_integers(op, array[first : last : int(stride[0])])


def pack(ctx: Context, op: FileOperator) -> None:
    """PACK of computed dimensions into a shape."""
    parts = [_numbers(ctx, op, i) for i in range(min(len(op.inputs), MAX_NUMBERS + 1))]
    if (
        not parts
        or len(parts) > MAX_NUMBERS
        or any(p.ndim for p in parts)
        or op.options("PackOptions")["axis"] not in (0, -1)
    ):
        raise op.error("only packing the dimensions of a shape is supported")
    ctx.define_integers(op, np.stack(parts))


def integer_concatenation(ctx: Context, op: FileOperator) -> None:
    """CONCATENATION of computed shapes."""
    parts = [_numbers(ctx, op, i) for i in range(min(len(op.inputs), MAX_NUMBERS + 1))]
    if len(parts) > MAX_NUMBERS or any(p.ndim != 1 for p in parts):
        raise op.error("only joining shapes is supported for integers")
    ctx.define_integers(op, np.concatenate(parts))


def integer_binary(ctx: Context, op: FileOperator) -> None:
    """ADD, MUL and SUB of computed dimensions."""
    if op.options(f"{op.code.capitalize()}Options")["fused_activation_function"] != 0:
        raise op.error("a fused activation on integers is not supported")
    functions: dict[str, Callable[[int, int], int]] = {
        "ADD": lambda a, b: a + b,
        "MUL": lambda a, b: a * b,
        "SUB": lambda a, b: a - b,
    }
    try:
        a, b = np.broadcast_arrays(_numbers(ctx, op, 0), _numbers(ctx, op, 1))
    except ValueError:
        raise op.error("the operands do not broadcast") from None
    if a.size > MAX_NUMBERS:
        raise op.error(f"expected at most {MAX_NUMBERS} numbers, got {a.size}")
    pairs = zip(a.reshape(-1).tolist(), b.reshape(-1).tolist(), strict=True)
    ctx.define_integers(op, exact_integers(op, [functions[op.code](p, q) for p, q in pairs], a.shape))


def exact_integers(op: FileOperator, numbers: list[int], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Python's integers as int64; an overflow is refused."""
    if any(not -(1 << 63) <= n < 1 << 63 for n in numbers):
        raise op.error("a shape computation overflows")
    return np.array(numbers, np.int64).reshape(shape)


def reduce_prod(ctx: Context, op: FileOperator) -> None:
    """REDUCE_PROD of a computed shape to one number."""
    array, axes = _numbers(ctx, op, 0), _numbers(ctx, op, 1).reshape(-1).tolist()
    if array.ndim != 1 or not axes or any(resolve_axis(op, axis, 1) for axis in axes):
        raise op.error("only the product of a shape is supported")
    keep = op.options("ReducerOptions")["keep_dims"]
    product = exact_integers(op, [math.prod(array.tolist())], (1,) if keep else ())
    ctx.define_integers(op, product)


def gather(ctx: Context, op: FileOperator) -> None:
    """GATHER of dimensions from a computed shape."""
    o = op.options("GatherOptions")
    array, indices = _numbers(ctx, op, 0), _numbers(ctx, op, 1)
    if (
        array.ndim != 1
        or o["axis"] not in (0, -1)
        or o["batch_dims"]
        or np.any(indices < 0)
        or np.any(indices >= array.size)
    ):
        raise op.error("only picking dimensions from a shape is supported")
    ctx.define_integers(op, array[indices])


def cast(ctx: Context, op: FileOperator) -> None:
    """CAST between int32 and int64 of computed shapes."""
    ctx.define_integers(op, _numbers(ctx, op, 0))


def is_integer_arithmetic(ctx: Context, op: FileOperator) -> bool:
    """Does the operator compute a shape? (its inputs are known numbers of int32 or int64)"""
    if not op.inputs:
        return False
    first: FileTensor = ctx.input(op, 0).file
    return first.type in ("INT32", "INT64") and ctx.input(op, 0).constant
