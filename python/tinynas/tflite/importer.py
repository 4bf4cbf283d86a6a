"""TensorFlow Lite files into graphs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import tinynas._core as _core
from tinynas.errors import InputError
from tinynas.tflite import lower_convolution, lower_pointwise, lower_shape
from tinynas.tflite.context import (
    DTYPES,
    Context,
    PendingBlocks,
    PendingConvolution,
    PendingInsert,
    PendingPad,
    Value,
    check_shape,
    file_error,
    quantization_of,
    unsupported_message,
)
from tinynas.tflite.file_model import MAX_FILE_BYTES, FileModel, FileOperator, FileTensor, read_model
from tinynas.tflite.ir import GraphIR, GraphTensor, to_json

Handler = Callable[[Context, FileOperator], None]

HANDLERS: dict[str, Handler] = {
    "CONV_2D": lower_convolution.convolution,
    "DEPTHWISE_CONV_2D": lower_convolution.convolution,
    "TRANSPOSE_CONV": lower_convolution.transpose_conv,
    "FULLY_CONNECTED": lower_convolution.fully_connected,
    "PAD": lower_convolution.pad,
    "PADV2": lower_convolution.pad,
    "SPACE_TO_BATCH_ND": lower_convolution.space_to_batch,
    "BATCH_TO_SPACE_ND": lower_convolution.batch_to_space,
    "ADD": lower_pointwise.binary,
    "MUL": lower_pointwise.binary,
    "PRELU": lower_pointwise.prelu,
    "SOFTMAX": lower_pointwise.unary,
    "LOGISTIC": lower_pointwise.unary,
    "TANH": lower_pointwise.unary,
    "HARD_SWISH": lower_pointwise.unary,
    "LEAKY_RELU": lower_pointwise.unary,
    "RELU": lower_pointwise.relu,
    "RELU6": lower_pointwise.relu,
    "AVERAGE_POOL_2D": lower_pointwise.pool,
    "MAX_POOL_2D": lower_pointwise.pool,
    "MEAN": lower_pointwise.reduction,
    "REDUCE_MAX": lower_pointwise.reduction,
    "ARG_MAX": lower_pointwise.argmax,
    "CONCATENATION": lower_pointwise.concatenation,
    "RESIZE_NEAREST_NEIGHBOR": lower_pointwise.resize,
    "RESIZE_BILINEAR": lower_pointwise.resize,
    "QUANTIZE": lower_pointwise.quantize,
    "DEQUANTIZE": lower_pointwise.dequantize,
    "RESHAPE": lower_shape.reshape,
    "EXPAND_DIMS": lower_shape.expand_dims,
    "SQUEEZE": lower_shape.squeeze,
    "TILE": lower_shape.tile,
    "TRANSPOSE": lower_shape.transpose,
    "SHAPE": lower_shape.shape_of,
    "STRIDED_SLICE": lower_shape.strided_slice,
    "PACK": lower_shape.pack,
    "GATHER": lower_shape.gather,
    "CAST": lower_shape.cast,
    "REDUCE_PROD": lower_shape.reduce_prod,
}
# The same operators where they compute shapes.
INTEGER_HANDLERS: dict[str, Handler] = {
    "ADD": lower_shape.integer_binary,
    "MUL": lower_shape.integer_binary,
    "SUB": lower_shape.integer_binary,
    "CONCATENATION": lower_shape.integer_concatenation,
}


def load_tflite(source: str | os.PathLike[str] | bytes) -> _core.Graph:
    """Import an int8 network from a .tflite file, or from its bytes.

    The graph computes what TensorFlow Lite Micro's reference kernels compute, to the bit. An unknown batch becomes 1;
    `source_index` of every operator is its index in the file. Raises InputError for damaged files and for everything
    that is not supported, with the operator's index, name, the reason and what to do (docs/tflite.md).
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    graph = _core.Graph.from_json(to_json(import_graph(read_model(data))))
    graph.validate()
    return graph


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise file_error(f"{path}: expected at most {MAX_FILE_BYTES} bytes, got {path.stat().st_size}")
        return path.read_bytes()
    except OSError as error:
        raise file_error(f"{path}: {error.strerror or error}") from None


def import_graph(model: FileModel) -> GraphIR:
    """The graph of a parsed file."""
    ctx = Context(model)
    ctx.materialise = {
        PendingPad: lower_convolution.write_pad,
        PendingBlocks: lower_convolution.refuse_blocks,
        PendingConvolution: lower_convolution.refuse_blocks,
        PendingInsert: lower_shape.write_insert,
    }
    for index in model.inputs:
        _add_input(ctx, index)
    for op in model.operators:
        _lower(ctx, op)
    for index in model.outputs:
        ctx.graph.outputs.append(_output(ctx, index))
    if not ctx.graph.inputs or not ctx.graph.outputs:
        raise file_error("expected at least one input and one output")
    return ctx.graph


def _lower(ctx: Context, op: FileOperator) -> None:
    handler = HANDLERS.get(op.code)
    if op.code in INTEGER_HANDLERS and lower_shape.is_integer_arithmetic(ctx, op):
        handler = INTEGER_HANDLERS[op.code]
    if handler is None:
        raise op.error(*unsupported_message(op.code))
    handler(ctx, op)


def _input_shape(tensor: FileTensor) -> tuple[int, ...]:
    """The stored shape of an input; an unknown batch counts as 1, any other unknown dimension is refused."""
    place = f"input tensor {tensor.index} ({tensor.name!r})"
    if len(tensor.signature) != len(tensor.shape):
        raise file_error(f"{place}: shape {list(tensor.shape)} and signature {list(tensor.signature)} differ in rank")
    unknown = [d for d, size in enumerate(tensor.signature) if size < 0]
    if any(d != 0 for d in unknown) or any(size < 0 for size in tensor.shape[1:]):
        raise file_error(
            f"{place}: expected a fixed height, width and depth, got {list(tensor.signature)}; "
            "convert the model with fixed sizes (tf.keras.Input(shape=(height, width, channels)))"
        )
    shape = (1, *tensor.shape[1:]) if unknown or tensor.shape[:1] in ((-1,), (0,)) else tensor.shape
    if any(size < 1 for size in shape):
        raise file_error(f"{place}: expected dimensions of at least 1, got {list(tensor.shape)}")
    return shape


def _add_input(ctx: Context, index: int) -> None:
    if index < 0 or index in ctx.values:
        raise file_error(f"graph inputs: expected every tensor once, got {index}")
    tensor = ctx.model.tensors[index]
    place = f"input tensor {index} ({tensor.name!r})"
    if tensor.special or tensor.data is not None:
        raise file_error(f"{place} is {tensor.special or 'a constant'}")
    if tensor.type not in DTYPES:
        raise file_error(f"{place} is {tensor.type.lower()}, expected int8, uint8 or float32")
    if len(tensor.scales) > 1 and tensor.type != "FLOAT32":
        raise file_error(f"{place}: expected one scale, got {len(tensor.scales)}")
    shape = _input_shape(tensor)
    check_shape(FileOperator(-1, place, (), (), "", None), shape)
    added = GraphTensor(tensor.name, shape, DTYPES[tensor.type], quantization_of(tensor))
    ctx.values[index] = Value(tensor, shape, tensor=ctx.add_tensor(added))
    ctx.graph.inputs.append(ctx.values[index].tensor or 0)


def _output(ctx: Context, index: int) -> int:
    value = ctx.values.get(index)
    if index < 0 or value is None:
        raise file_error(f"graph outputs: tensor {index} is never computed")
    if value.data is not None:
        raise file_error(f"graph outputs: tensor {index} ({value.file.name!r}) is a constant")
    op = value.op or FileOperator(-1, "graph output", (), (), "", None)
    return ctx.tensor(op, value)


__all__ = ["InputError", "import_graph", "load_tflite"]
