"""The growing ONNX graph of one export: names, constants, layouts, and the QuantizeLinear/DequantizeLinear pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import tinynas._core as _core
from tinynas.errors import InputError

_TYPES = {
    "f32": TensorProto.FLOAT, "s8": TensorProto.INT8, "u8": TensorProto.UINT8, "s16": TensorProto.INT16,
    "s32": TensorProto.INT32, "s64": TensorProto.INT64, "s4": TensorProto.INT4,
}  # fmt: skip
_ZERO_TYPES = {"s8": np.int8, "u8": np.uint8, "s16": np.int16, "s4": ml_dtypes.int4}
_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


class OnnxWriter:
    """Collects nodes; a tensor of the graph is known by the float value that stands for it, in one layout or both."""

    def __init__(self, graph: _core.Graph, *, float_io: bool) -> None:
        self.graph = graph
        self.float_io = float_io
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._values: dict[tuple[int, bool], str] = {}
        self._quantized: dict[int, tuple[str, bool]] = {}
        self._constants: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def node(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Appends a node with one output and returns that output's name."""
        name = self._name(op)
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def array(self, values: NDArray[Any]) -> str:
        """Name of an initializer with these values; equal small ones are shared."""
        key = (values.dtype.name, values.shape, values.tobytes())
        if key not in self._constants:
            self._constants[key] = self._name("constant")
            self.initializers.append(numpy_helper.from_array(np.array(values, order="C"), self._constants[key]))
        return self._constants[key]

    def scalar(self, value: float) -> str:
        return self.array(np.array(value, dtype=np.float32))

    def integers(self, values: Sequence[int]) -> str:
        return self.array(np.array(values, dtype=np.int64))

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        return self.node("Reshape", [value, self.integers(shape)])

    def is_nchw(self, tensor: int) -> bool:
        """True when the tensor's value stands ready in NCHW."""
        return (tensor, True) in self._values

    def read(self, tensor: int, *, nchw: bool = False) -> str:
        """Name of the float value of a tensor in the wanted layout, transposed where it stands in the other."""
        if self.graph.tensors[tensor].constant and (tensor, nchw) not in self._values:
            self._values[tensor, nchw] = self._constant(tensor, nchw)
        if (tensor, nchw) not in self._values:
            other = self._values[tensor, not nchw]
            self._values[tensor, nchw] = self.node("Transpose", [other], perm=_TO_NCHW if nchw else _TO_NHWC)
        return self._values[tensor, nchw]

    def write(self, tensor: int, value: str, *, nchw: bool = False) -> None:
        """Names `value` the tensor's value; a quantised tensor passes through QuantizeLinear and DequantizeLinear."""
        if self.graph.tensors[tensor].dtype in _ZERO_TYPES:
            scale, zero = self._parameters(tensor)
            self._quantized[tensor] = (self.node("QuantizeLinear", [value, scale, zero]), nchw)
            value = self.node("DequantizeLinear", [self._quantized[tensor][0], scale, zero])
        self._values[tensor, nchw] = value

    def weights(self, op: Any, layout: Sequence[int], channel_axis: int) -> str:
        """The weights of an operator transposed to `layout`; `channel_axis` is where the scales lie then."""
        tensor = self.graph.tensors[op.inputs[1]]
        if not tensor.constant:
            raise InputError(f"[onnx] {op.kind} '{op.name}': expected constant weights, got computed ones")
        values = np.transpose(tensor.array(), layout)
        if tensor.dtype == "f32":
            return self.array(values)
        kind = _ZERO_TYPES[tensor.dtype]
        scale = np.array(tensor.scale, dtype=np.float32)
        return self._dequantized(self.array(values.astype(kind)), scale, kind, channel_axis)

    def bias(self, op: Any) -> list[str]:
        """The bias as a list of one name, or of none. An int32 bias has the scale of input times weights."""
        if len(op.inputs) < 3 or op.inputs[2] < 0:
            return []
        tensor = self.graph.tensors[op.inputs[2]]
        values = self.array(tensor.array())
        if tensor.dtype == "f32":
            return [values]
        weight_scale = np.array(self.graph.tensors[op.inputs[1]].scale, dtype=np.float32)
        scale = np.float32(self.graph.tensors[op.inputs[0]].scale[0]) * weight_scale
        return [self._dequantized(values, scale.astype(np.float32), np.int32, 0)]

    def add_input(self, tensor: int) -> None:
        t = self.graph.tensors[tensor]
        name = t.name or f"input{tensor}"
        quantized = t.dtype in _ZERO_TYPES
        kind = TensorProto.FLOAT if quantized and self.float_io else _TYPES[t.dtype]
        self.inputs.append(helper.make_tensor_value_info(name, kind, list(t.shape)))
        if quantized and not self.float_io:
            self._values[tensor, False] = self.node("DequantizeLinear", [name, *self._parameters(tensor)])
        else:
            self.write(tensor, name)

    def add_output(self, tensor: int) -> None:
        t = self.graph.tensors[tensor]
        name = t.name or f"output{tensor}"
        value, kind = "", _TYPES[t.dtype]
        if t.dtype in _ZERO_TYPES and self.float_io:
            kind = TensorProto.FLOAT
        elif tensor in self._quantized:
            quantized, nchw = self._quantized[tensor]
            value = self.node("Transpose", [quantized], perm=_TO_NHWC) if nchw else quantized
        value = value or self.read(tensor)
        if any(name == known.name for known in [*self.inputs, *self.outputs]):
            name = self._name(name)
        self.nodes.append(helper.make_node("Identity", [value], [name], name=self._name("output")))
        self.outputs.append(helper.make_tensor_value_info(name, kind, list(t.shape)))

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"

    def _parameters(self, tensor: int) -> list[str]:
        t = self.graph.tensors[tensor]
        if len(t.scale) != 1:
            raise InputError(f"[onnx] tensor {tensor} ('{t.name}'): expected one scale, got {len(t.scale)}")
        zero = self.array(np.array(t.zero_point[0], dtype=_ZERO_TYPES[t.dtype]))
        return [self.array(np.array(t.scale[0], dtype=np.float32)), zero]

    def _dequantized(self, values: str, scale: NDArray[np.float32], kind: Any, axis: int) -> str:
        if scale.size == 1:
            return self.node(
                "DequantizeLinear", [values, self.array(scale.reshape(())), self.array(np.array(0, dtype=kind))]
            )
        zeros = self.array(np.zeros(scale.size, dtype=kind))
        return self.node("DequantizeLinear", [values, self.array(scale), zeros], axis=axis)

    def _constant(self, tensor: int, nchw: bool) -> str:
        """A constant of an operator without weights; for NCHW raised to rank 4 first, so that it still broadcasts."""
        t = self.graph.tensors[tensor]
        values = t.array()
        if nchw:
            values = values.reshape((1,) * (4 - values.ndim) + values.shape).transpose(_TO_NCHW)
        name = self.array(values if t.dtype == "f32" else values.astype(_ZERO_TYPES[t.dtype]))
        return name if t.dtype == "f32" else self.node("DequantizeLinear", [name, *self._parameters(tensor)])
