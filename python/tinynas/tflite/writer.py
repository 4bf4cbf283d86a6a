"""Writes .tflite files tensor by tensor and operator by operator, with the published schema package.

The exporter uses it for our own networks, the tests for files of every kind, wrong ones included: it checks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

from tinynas.tflite import schema

ALIGNMENT = 16  # of constants: what TensorFlow's runtimes expect


@dataclass
class TensorSpec:
    """A tensor to write; `data` makes it a constant. `signature` is stored only when given."""

    name: str
    shape: Sequence[int]
    type: str = "INT8"
    scale: Sequence[float] = ()
    zero_point: Sequence[int] = ()
    axis: int = 0
    data: bytes | None = None
    signature: Sequence[int] | None = None
    is_variable: bool = False


@dataclass
class OperatorSpec:
    """An operator to write: its code's name, tensors, and its options table with the fields to set."""

    code: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


class TfliteWriter:
    """Collects tensors and operators; `finish` gives the bytes of the file."""

    def __init__(self, name: str = "main") -> None:
        self.name = name
        self.tensors: list[TensorSpec] = []
        self.operators: list[OperatorSpec] = []

    def tensor(self, spec: TensorSpec) -> int:
        """Add a tensor; its index."""
        self.tensors.append(spec)
        return len(self.tensors) - 1

    def operator(self, spec: OperatorSpec) -> int:
        """Add an operator; its index."""
        self.operators.append(spec)
        return len(self.operators) - 1

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file, with the tensors that are its inputs and outputs."""
        builder = flatbuffers.Builder(1024)
        constants = [t.data for t in self.tensors if t.data is not None]
        buffers = _offsets(builder, [_buffer(builder, data) for data in [b"", *constants]])
        codes = sorted({op.code for op in self.operators})
        code_vector = _offsets(builder, [_code(builder, code) for code in codes])
        tensors, buffer = [], 0
        for spec in self.tensors:
            buffer += spec.data is not None
            tensors.append(_tensor(builder, spec, buffer if spec.data is not None else 0))
        operators = [_operator(builder, op, codes.index(op.code)) for op in self.operators]
        parts = {
            "Tensors": _offsets(builder, tensors),
            "Inputs": _vector(builder, inputs, np.int32),
            "Outputs": _vector(builder, outputs, np.int32),
            "Operators": _offsets(builder, operators),
            "Name": builder.CreateString(self.name),
        }
        subgraphs = _offsets(builder, [_table(builder, "SubGraph", parts)])
        root = {
            "Version": 3,
            "OperatorCodes": code_vector,
            "Subgraphs": subgraphs,
            "Description": builder.CreateString("tinynas"),
            "Buffers": buffers,
        }
        builder.Finish(_table(builder, "Model", root), schema.IDENTIFIER)
        return bytes(builder.Output())


def _table(builder: Any, name: str, fields: Mapping[str, Any]) -> int:
    """Write a table of the schema package by its name."""
    getattr(tflite, f"{name}Start")(builder)
    for key, value in fields.items():
        getattr(tflite, f"{name}Add{key}")(builder, value)
    offset: int = getattr(tflite, f"{name}End")(builder)
    return offset


def _vector(builder: Any, values: Sequence[Any], dtype: type[np.generic]) -> int:
    offset: int = builder.CreateNumpyVector(np.asarray(values, dtype).reshape(-1))
    return offset


def _offsets(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    vector: int = builder.EndVector()
    return vector


def _buffer(builder: Any, data: bytes) -> int:
    if not data:
        return _table(builder, "Buffer", {})
    builder.StartVector(1, len(data), ALIGNMENT)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return _table(builder, "Buffer", {"Data": builder.EndVector()})


def _code(builder: Any, name: str) -> int:
    number = schema.OPERATOR_CODES[name]
    fields: dict[str, Any] = {"DeprecatedBuiltinCode": min(number, 127), "BuiltinCode": number, "Version": 1}
    if name == "CUSTOM":
        fields["CustomCode"] = builder.CreateString("custom")
    return _table(builder, "OperatorCode", fields)


def _tensor(builder: Any, spec: TensorSpec, buffer: int) -> int:
    fields: dict[str, Any] = {
        "Name": builder.CreateString(spec.name),
        "Shape": _vector(builder, spec.shape, np.int32),
        "Type": schema.TYPE_CODES[spec.type],
        "Buffer": buffer,
        "IsVariable": spec.is_variable,
    }
    if spec.signature is not None:
        fields["ShapeSignature"] = _vector(builder, spec.signature, np.int32)
    if len(spec.scale):
        quantization = {
            "Scale": _vector(builder, spec.scale, np.float32),
            "ZeroPoint": _vector(builder, spec.zero_point, np.int64),
            "QuantizedDimension": spec.axis,
        }
        fields["Quantization"] = _table(builder, "QuantizationParameters", quantization)
    return _table(builder, "Tensor", fields)


def _operator(builder: Any, op: OperatorSpec, code: int) -> int:
    fields: dict[str, Any] = {
        "OpcodeIndex": code,
        "Inputs": _vector(builder, op.inputs, np.int32),
        "Outputs": _vector(builder, op.outputs, np.int32),
    }
    if op.options:
        fields["BuiltinOptionsType"] = schema.OPTION_CODES[op.options]
        fields["BuiltinOptions"] = _options(builder, op)
    return _table(builder, "Operator", fields)


def _options(builder: Any, op: OperatorSpec) -> int:
    known = schema.OPTIONS.get(op.options, {})
    values = {}
    for name, value in op.fields.items():
        vector = known[name][1] == "ints"
        camel = "".join(part.capitalize() for part in name.split("_"))
        values[camel] = _vector(builder, value, np.int32) if vector else value
    return _table(builder, op.options, values)
