"""The state of one import: values of the file's tensors so far, and the graph that grows.

A value is a constant, a tensor of the graph, or *pending*: a padding, a split into blocks, an inserted dimension or a
repetition that waits to see whether its reader can absorb it. Who cannot absorb it asks for `tensor()`, which writes
the operator after all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import InputError
from tinynas.tflite.file_model import TYPE_BITS, FileModel, FileOperator, FileTensor
from tinynas.tflite.ir import GraphIR, GraphOperator, GraphTensor, Quantization

DTYPES = {"FLOAT32": "f32", "INT8": "s8", "UINT8": "u8", "INT4": "s4", "INT16": "s16", "INT32": "s32", "INT64": "s64"}
MAX_ELEMENTS = (1 << 31) - 1
MAX_CONSTANT_BYTES = 1 << 27
INTEGER_ADVICE = (
    "convert the model with full integer quantisation (converter.optimizations = [tf.lite.Optimize.DEFAULT], "
    "a representative_dataset, target_spec.supported_ops = [TFLITE_BUILTINS_INT8])"
)


@dataclass(frozen=True)
class PendingPad:
    """`source` with rows and columns of real zero around it."""

    source: Value
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class PendingBlocks:
    """`source`, padded and split into blocks of rows and columns that went into the batch; `done` once convolved."""

    source: Value
    block: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class PendingConvolution:
    """A convolution over blocks: it is written when BATCH_TO_SPACE_ND says what to crop."""

    blocks: PendingBlocks
    op: FileOperator


@dataclass(frozen=True)
class PendingInsert:
    """`source` with a dimension of 1 inserted at `axis`, then repeated `times` along it."""

    source: Value
    axis: int
    times: int


Pending = PendingPad | PendingBlocks | PendingConvolution | PendingInsert


@dataclass(eq=False)
class Value:
    """What a tensor of the file holds. `shape` is propagated from the inputs, never the stored one (save constants)."""

    file: FileTensor
    shape: tuple[int, ...]
    tensor: int | None = None
    data: bytes | memoryview | None = None
    pending: Pending | None = None
    op: FileOperator | None = None  # writer of a pending value

    @property
    def constant(self) -> bool:
        """Known without running?"""
        return self.data is not None

    @property
    def type(self) -> str:
        """TensorFlow Lite's name of the element type."""
        return self.file.type


def quantization_of(tensor: FileTensor) -> Quantization:
    """The quantisation of a tensor, as the graph holds it."""
    if tensor.type == "FLOAT32":
        return Quantization()
    axis = tensor.axis if len(tensor.scales) > 1 else 0
    return Quantization(tuple(float(s) for s in tensor.scales), tuple(int(z) for z in tensor.zero_points), axis)


def same_quantization(a: FileTensor, b: FileTensor) -> bool:
    """Do equal bytes of both mean equal real values?"""
    return np.array_equal(a.scales, b.scales) and np.array_equal(a.zero_points, b.zero_points)


class Context:
    """Values and graph of an import in progress."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self.graph = GraphIR(name=model.name)
        self.values: dict[int, Value] = {}
        self.constant_bytes = 0
        self.materialise: dict[type, Callable[[Context, Value], int]] = {}

    def input(self, op: FileOperator, position: int) -> Value:
        """Input number `position`, which must be there and known."""
        if position >= len(op.inputs) or op.inputs[position] < 0:
            raise op.error(f"expected input {position}, it has {len(op.inputs)} inputs")
        return self._value(op, op.inputs[position])

    def optional(self, op: FileOperator, position: int) -> Value | None:
        """Input number `position`, or None when it is absent."""
        absent = position >= len(op.inputs) or op.inputs[position] < 0
        return None if absent else self._value(op, op.inputs[position])

    def _value(self, op: FileOperator, index: int) -> Value:
        value = self.values.get(index)
        if value is not None:
            return value
        tensor = self.model.tensors[index]
        if tensor.special:
            raise op.error(f"tensor {index} ({tensor.name!r}) is {tensor.special}", "which is not supported")
        if tensor.data is None:
            raise op.error(f"reads tensor {index} ({tensor.name!r}), which no earlier operator has written")
        value = Value(tensor, tensor.shape, data=self._constant_data(op, tensor))
        self.values[index] = value
        return value

    def _constant_data(self, op: FileOperator, tensor: FileTensor) -> bytes | memoryview:
        where = f"constant {tensor.index} ({tensor.name!r})"
        if tensor.type not in TYPE_BITS:
            raise op.error(f"{where} has elements of type {tensor.type}", "which is not supported")
        if any(d < 1 for d in tensor.shape) or math.prod(tensor.shape) > MAX_ELEMENTS:
            raise op.error(f"{where} has the shape {list(tensor.shape)}")
        expected = (math.prod(tensor.shape) * TYPE_BITS[tensor.type] + 7) // 8
        data = tensor.data or b""
        if len(data) != expected:
            raise op.error(f"{where}: expected {expected} bytes for {list(tensor.shape)}, got {len(data)}")
        return data

    def integers(self, op: FileOperator, value: Value, what: str) -> NDArray[np.int64]:
        """The numbers of a small constant of int32 or int64, in its shape."""
        if value.data is None:
            raise op.error(f"{what} is computed while the network runs", "only constants can be used here")
        if value.type not in ("INT32", "INT64") or len(value.data) > 4096:
            raise op.error(f"expected {what} as a few int32 or int64 numbers, got {value.type} {list(value.shape)}")
        array = np.frombuffer(value.data, "<i4" if value.type == "INT32" else "<i8")
        return array.astype(np.int64).reshape(value.shape)

    def tensor(self, op: FileOperator, value: Value) -> int:
        """The index of the graph's tensor that holds `value`, written now if it was pending or a constant."""
        if value.tensor is None:
            if value.pending is not None:
                value.tensor = self.materialise[type(value.pending)](self, value)
            else:
                value.tensor = self._add_constant(op, value)
        return value.tensor

    def _add_constant(self, op: FileOperator, value: Value) -> int:
        if value.type not in DTYPES:
            raise op.error(f"constant {value.file.index} ({value.file.name!r}) is {value.type}", INTEGER_ADVICE)
        data = value.data or b""
        self.constant_bytes += len(data) + 16 * len(value.file.scales)
        if self.constant_bytes > MAX_CONSTANT_BYTES:  # buffers may be shared, so that a small file can claim much
            raise op.error(f"the constants exceed {MAX_CONSTANT_BYTES} bytes")
        quantization = quantization_of(value.file)
        tensor = GraphTensor(value.file.name, value.shape, DTYPES[value.type], quantization, True, bytes(data))
        return self.add_tensor(tensor)

    def add_tensor(self, tensor: GraphTensor) -> int:
        """Append a tensor to the graph."""
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def only_output(self, op: FileOperator) -> FileTensor:
        """The one tensor that `op` writes, which may be written already: the middle one of a folded form."""
        if len(op.outputs) != 1:
            raise op.error(f"expected 1 output, got {len(op.outputs)}")
        return self.model.tensors[op.outputs[0]]

    def output(self, op: FileOperator) -> FileTensor:
        """The one tensor that `op` writes; it may be neither written before nor a constant."""
        tensor = self.only_output(op)
        if tensor.special:
            raise op.error(f"its output {tensor.name!r} is {tensor.special}", "which is not supported")
        if tensor.index in self.values or tensor.data is not None:
            raise op.error(f"writes tensor {tensor.index} ({tensor.name!r}), which is written already or a constant")
        return tensor

    def emit(
        self, op: FileOperator, kind: str, inputs: list[int], shape: tuple[int, ...], attributes: dict[str, Any]
    ) -> Value:
        """Write an operator of the graph whose result is the output of `op`."""
        tensor = self.output(op)
        index = self.emit_into(op, kind, inputs, (tensor, shape), attributes)
        value = Value(tensor, shape, tensor=index)
        self.values[tensor.index] = value
        return value

    def emit_into(
        self,
        op: FileOperator,
        kind: str,
        inputs: list[int],
        target: tuple[FileTensor, tuple[int, ...]],
        attributes: dict[str, Any],
    ) -> int:
        """Write an operator that stands for `op` and fills a new tensor like the file's, of the given shape."""
        tensor, shape = target
        check_shape(op, shape)
        if tensor.type not in DTYPES:
            raise op.error(f"its output is {tensor.type}", INTEGER_ADVICE)
        if len(tensor.scales) > 1 and tensor.type != "FLOAT32":
            raise op.error(f"its output has {len(tensor.scales)} scales, expected one", INTEGER_ADVICE)
        index = self.add_tensor(GraphTensor(tensor.name, shape, DTYPES[tensor.type], quantization_of(tensor)))
        self.graph.operators.append(
            GraphOperator(kind, inputs, [index], attributes, name=tensor.name, source_index=op.index)
        )
        return index

    def define(self, op: FileOperator, value: Value) -> None:
        """Say what the output of `op` holds without writing an operator."""
        check_shape(op, value.shape)
        self.values[self.output(op).index] = value

    def define_integers(self, op: FileOperator, array: NDArray[np.int64]) -> None:
        """The output of `op` is known now."""
        tensor = self.output(op)
        if tensor.type not in ("INT32", "INT64"):
            raise op.error(f"expected int32 or int64, got {tensor.type}")
        limits = np.iinfo(np.int32 if tensor.type == "INT32" else np.int64)
        if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
            raise op.error(f"a shape computation overflows {tensor.type}")
        data = array.astype("<i4" if tensor.type == "INT32" else "<i8").tobytes()
        self.values[tensor.index] = Value(tensor, tuple(array.shape), data=data)


def check_shape(op: FileOperator, shape: tuple[int, ...]) -> None:
    """Every dimension at least 1, and fewer than 2^31 elements."""
    if any(d < 1 for d in shape) or math.prod(shape) > MAX_ELEMENTS:
        raise op.error(f"the output would have the shape {list(shape)}")


def activation_input(ctx: Context, op: FileOperator, position: int) -> Value:
    """An int8 input with one scale and zero point; the error says what else the file is."""
    value = ctx.input(op, position)
    require_int8(op, value.file, f"input {position}")
    return value


def require_int8(op: FileOperator, tensor: FileTensor, what: str) -> None:
    """Refuse every element type that is not int8 with one scale, by its own name."""
    if tensor.type == "FLOAT32":
        raise op.error(f"{what} is float32 (a float, float16 or dynamic-range model)", INTEGER_ADVICE)
    if tensor.type == "INT16":
        raise op.error(f"{what} is int16 (a 16x8 model)", INTEGER_ADVICE)
    if tensor.type != "INT8":
        raise op.error(f"{what} is {tensor.type.lower()}, expected int8", INTEGER_ADVICE)
    require_quantized(op, tensor, what)


def require_quantized(op: FileOperator, tensor: FileTensor, what: str) -> None:
    """One finite positive scale, and a zero point that the element type can hold."""
    if len(tensor.scales) != 1:
        raise op.error(f"{what} has {len(tensor.scales)} scales, expected one", INTEGER_ADVICE)
    scale, zero_point = float(tensor.scales[0]), int(tensor.zero_points[0])
    low, high = (0, 255) if tensor.type == "UINT8" else (-128, 127)
    if not (math.isfinite(scale) and scale > 0):
        raise op.error(f"{what}: expected a positive finite scale, got {scale}")
    if not low <= zero_point <= high:
        raise op.error(f"{what}: expected a zero point from {low} to {high}, got {zero_point}")


def require_multiplier(op: FileOperator, real: float) -> None:
    """The factor between two scales must be one that the integer arithmetic can hold: below 2^30."""
    if not 0 < real < 2.0**30:
        raise op.error(
            f"its scales differ by a factor of {real:.3g}, expected one below 2^30", "check the quantisation"
        )


def require_same_quantization(op: FileOperator, a: FileTensor, b: FileTensor) -> None:
    """Operators that only move bytes need equal scales and zero points on both sides."""
    if a.type != b.type:
        raise op.error(f"expected equal element types, got {a.type} and {b.type}")
    if not same_quantization(a, b):
        raise op.error(
            f"expected the same scale and zero point for {a.name!r} and {b.name!r}",
            "the converter of TensorFlow always writes them equal",
        )


def resolve_axis(op: FileOperator, axis: int, rank: int) -> int:
    """An axis counted from either end as 0 .. rank - 1."""
    if not -rank <= axis < rank:
        raise op.error(f"expected an axis of a tensor with {rank} dimensions, got {axis}")
    return axis % rank


def unsupported_message(code: str) -> tuple[str, str]:
    """Why an operator is refused, and what to do."""
    if any(word in code for word in ("LSTM", "RNN", "GRU", "SVDF", "WHILE", "VAR_HANDLE", "ASSIGN", "READ_VARIABLE")):
        return (
            "recurrent and stateful operators are not supported",
            "use convolutions over time, or unroll the network outside the model",
        )
    if code.startswith("CUSTOM"):
        return "custom operators are not supported", "convert with TensorFlow Lite's built-in operators only"
    return (
        "this operator is not supported",
        "replace it in the model; docs/tflite.md lists the operators that are",
    )


def file_error(reason: str) -> InputError:
    """An error that no operator is to blame for."""
    return InputError(f"[tflite] {reason}")
