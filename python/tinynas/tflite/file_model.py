"""What a .tflite file says, as plain values: tensors, operators and their options, all offsets checked.

Nothing is believed beyond the file's structure: shapes of activations are stored here but never used to compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import InputError
from tinynas.tflite import schema
from tinynas.tflite.flat import Table

MAX_FILE_BYTES = 1 << 28
MAX_TENSORS = 20_000
MAX_OPERATORS = 10_000
MAX_RANK = 8
MAX_OPERANDS = 1_000
MAX_ALL_OPERANDS = 100_000
MAX_SCALES = 1 << 20

# Bits of one element; the types that carry data here.
TYPE_BITS = {
    "FLOAT32": 32,
    "FLOAT16": 16,
    "INT32": 32,
    "UINT8": 8,
    "INT64": 64,
    "BOOL": 8,
    "INT16": 16,
    "INT8": 8,
    "FLOAT64": 64,
    "INT4": 4,
    "BFLOAT16": 16,
    "UINT32": 32,
    "UINT16": 16,
    "UINT64": 64,
}


@dataclass(frozen=True)
class FileTensor:
    """A tensor as stored. `data` is None for activations; `signature` is -1 where a dimension is unknown."""

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    data: memoryview | None
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int
    special: str  # why it cannot be used: "variable", "sparse", "custom quantisation" or empty


@dataclass(frozen=True)
class FileOperator:
    """An operator as stored; -1 among the inputs marks an absent one."""

    index: int
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: str
    table: Table | None

    def options(self, name: str) -> dict[str, Any]:
        """The fields of the options table `name`, with the schema's defaults where nothing is stored."""
        fields = schema.OPTIONS[name]
        if self.table is not None and self.options_type != name:
            raise self.error(f"expected options of type {name}, got {self.options_type}")
        table = self.table
        return {field: _option(table, *spec) for field, spec in fields.items()}

    def error(self, reason: str, advice: str = "") -> InputError:
        """The error that refuses this operator: index, name, reason and what the user can do."""
        return InputError(f"[tflite] operator {self.index} ({self.code}): {reason}" + (f"; {advice}" if advice else ""))


@dataclass(frozen=True)
class FileModel:
    """The first subgraph of a file."""

    name: str
    tensors: list[FileTensor]
    operators: list[FileOperator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def _option(table: Table | None, slot: int, kind: str, default: Any) -> Any:
    if table is None:
        return default
    if kind == "bool":
        return table.boolean(slot, default)
    if kind == "f32":
        return table.real(slot, default)
    if kind == "ints":
        values = table.numbers(slot, "<i4")
        return None if values is None else tuple(int(v) for v in values[: MAX_RANK + 1])
    return table.integer(slot, {"i8": "b", "i32": "i"}[kind], default)


def read_model(data: bytes) -> FileModel:
    """Parse a file of TensorFlow Lite's format, version 3.

    Raises InputError for anything that is not such a file or that points outside itself.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"[tflite] expected at most {MAX_FILE_BYTES} bytes, the file has {len(data)}")
    if len(data) < 8 or data[4:8] != schema.IDENTIFIER:
        raise InputError('[tflite] expected a TensorFlow Lite file (bytes 4 to 7 are "TFL3"): ' + repr(data[:8]))
    root = Table.root(data)
    version = root.integer(schema.MODEL["version"], "I")
    if version != 3:
        raise InputError(f"[tflite] expected schema version 3, got {version}")
    buffers = root.tables(schema.MODEL["buffers"], "buffers", MAX_TENSORS)
    subgraphs = root.tables(schema.MODEL["subgraphs"], "subgraphs", MAX_OPERATORS)
    codes = [_code(t) for t in root.tables(schema.MODEL["operator_codes"], "operator codes", MAX_OPERATORS)]
    if not subgraphs:
        raise InputError("[tflite] expected a subgraph, the file has none")
    graph = subgraphs[0]
    tables = graph.tables(schema.SUBGRAPH["tensors"], "tensors", MAX_TENSORS)
    tensors = [_tensor(i, t, buffers) for i, t in enumerate(tables)]
    operators = graph.tables(schema.SUBGRAPH["operators"], "operators", MAX_OPERATORS)
    return FileModel(
        name=graph.text(schema.SUBGRAPH["name"]),
        tensors=tensors,
        operators=_operators(operators, codes, len(tensors)),
        inputs=_indices(graph, schema.SUBGRAPH["inputs"], len(tensors), "graph inputs"),
        outputs=_indices(graph, schema.SUBGRAPH["outputs"], len(tensors), "graph outputs"),
    )


def _code(table: Table) -> str:
    slots = schema.OPERATOR_CODE
    code = max(table.integer(slots["deprecated_builtin_code"], "b"), table.integer(slots["builtin_code"], "i"))
    name = schema.OPERATOR_NAMES.get(code, f"builtin operator {code}")
    custom = table.text(slots["custom_code"], 60)
    return f"CUSTOM {custom!r}" if name == "CUSTOM" else name


def _indices(table: Table, slot: int, tensors: int, what: str) -> tuple[int, ...]:
    values = table.numbers(slot, "<i4")
    if values is None:
        return ()
    if len(values) > MAX_OPERANDS:
        raise InputError(f"[tflite] {what}: expected at most {MAX_OPERANDS} tensors, got {len(values)}")
    indices = tuple(int(v) for v in values)
    bad = [v for v in indices if v < -1 or v >= tensors]
    if bad:
        raise InputError(f"[tflite] {what}: expected tensors 0 to {tensors - 1}, got {bad[0]}")
    return indices


def _operators(tables: list[Table], codes: list[str], tensors: int) -> list[FileOperator]:
    operators, operands = [], 0
    for index, table in enumerate(tables):
        operators.append(_operator(index, table, codes, tensors))
        operands += len(operators[-1].inputs) + len(operators[-1].outputs)
        if operands > MAX_ALL_OPERANDS:  # vectors may be shared, so that a small file can claim many
            raise InputError(f"[tflite] expected at most {MAX_ALL_OPERANDS} inputs and outputs of all operators")
    return operators


def _operator(index: int, table: Table, codes: list[str], tensors: int) -> FileOperator:
    slots = schema.OPERATOR
    opcode = table.integer(slots["opcode_index"], "I")
    if opcode >= len(codes):
        raise InputError(f"[tflite] operator {index}: expected one of {len(codes)} operator codes, got {opcode}")
    what = f"operator {index} ({codes[opcode]})"
    kind = table.integer(slots["builtin_options_type"], "B")
    outputs = _indices(table, slots["outputs"], tensors, what)
    if -1 in outputs:
        raise InputError(f"[tflite] {what}: expected an output tensor, got -1")
    return FileOperator(
        index=index,
        code=codes[opcode],
        inputs=_indices(table, slots["inputs"], tensors, what),
        outputs=outputs,
        options_type=schema.OPTION_NAMES.get(kind, f"type {kind}"),
        table=table.table(slots["builtin_options"]) if kind else None,
    )


def _tensor(index: int, table: Table, buffers: list[Table]) -> FileTensor:
    slots = schema.TENSOR
    what = f"tensor {index}"
    shape = _shape(table, slots["shape"], what)
    kind = table.integer(slots["type"], "b")
    type_name = schema.TYPE_NAMES.get(kind, f"type {kind}")
    buffer = table.integer(slots["buffer"], "I")
    if buffer >= max(len(buffers), 1):
        raise InputError(f"[tflite] {what}: expected one of {len(buffers)} buffers, got {buffer}")
    scales, zero_points, axis, custom = _quantization(table.table(slots["quantization"]), what)
    special = custom
    if table.boolean(slots["is_variable"]):
        special = "a variable (state between runs)"
    elif table.has(slots["sparsity"]):
        special = "sparse"
    return FileTensor(
        index=index,
        name=table.text(slots["name"]) or f"tensor_{index}",
        type=type_name,
        shape=shape,
        signature=_shape(table, slots["shape_signature"], what) or shape,
        data=_buffer(buffers[buffer], what) if buffers else None,
        scales=scales,
        zero_points=zero_points,
        axis=axis,
        special=special,
    )


def _shape(table: Table, slot: int, what: str) -> tuple[int, ...]:
    values = table.numbers(slot, "<i4")
    if values is None:
        return ()
    if len(values) > MAX_RANK:
        raise InputError(f"[tflite] {what}: expected at most {MAX_RANK} dimensions, got {len(values)}")
    return tuple(int(v) for v in values)


def _buffer(table: Table, what: str) -> memoryview | None:
    if table.integer(schema.BUFFER["offset"], "Q") > 1:
        raise InputError(f"[tflite] {what}: expected its data inside the FlatBuffer, got data appended to the file")
    return table.raw(schema.BUFFER["data"]) or None


def _quantization(table: Table | None, what: str) -> tuple[NDArray[np.float32], NDArray[np.int64], int, str]:
    empty = np.zeros(0, np.float32), np.zeros(0, np.int64), 0, ""
    if table is None:
        return empty
    slots = schema.QUANTIZATION
    scales: NDArray[Any] | None = table.numbers(slots["scale"], "<f4")
    zero_points: NDArray[Any] | None = table.numbers(slots["zero_point"], "<i8")
    if scales is None or len(scales) == 0:
        return empty
    if zero_points is None or len(zero_points) == 0:
        zero_points = np.zeros(1, np.int64)
    if len(scales) > MAX_SCALES or len(zero_points) not in (1, len(scales)):
        raise InputError(f"[tflite] {what}: {len(scales)} scales, but {len(zero_points)} zero points")
    custom = "of a custom quantisation" if table.integer(slots["details_type"], "B") else ""
    axis = table.integer(slots["quantized_dimension"], "i")
    # Views of the file: many tensors may share one vector.
    return scales, np.broadcast_to(zero_points, scales.shape), axis, custom
