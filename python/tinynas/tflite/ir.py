"""The typed side of the graph's JSON form (src/graph/json.h): what the importer builds and the exporter reads."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

FORMAT = "tinynas-graph"
VERSION = 1


@dataclass(frozen=True)
class Quantization:
    """real = scale[i] * (q - zero_point[i]); one entry per tensor, or one per slice along `axis`, or none."""

    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0


@dataclass
class GraphTensor:
    """A tensor of `tinynas::Graph`; `data` holds a constant's little-endian values."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization = field(default_factory=Quantization)
    constant: bool = False
    data: bytes = b""


@dataclass
class GraphOperator:
    """An operator of `tinynas::Graph`; `attributes` are named as in graph.h, windows flattened."""

    kind: str
    inputs: list[int]
    outputs: list[int]
    attributes: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    source_index: int = -1


@dataclass
class GraphIR:
    """A graph of plain values."""

    name: str = ""
    tensors: list[GraphTensor] = field(default_factory=list)
    operators: list[GraphOperator] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)


def to_json(graph: GraphIR) -> str:
    """The text that `_core.Graph.from_json` reads."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "name": graph.name,
            "tensors": [_tensor_json(t) for t in graph.tensors],
            "operators": [_operator_json(o) for o in graph.operators],
            "inputs": graph.inputs,
            "outputs": graph.outputs,
        }
    )


def _tensor_json(tensor: GraphTensor) -> dict[str, Any]:
    value: dict[str, Any] = {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype}
    quantization = tensor.quantization
    if quantization.scale:
        value["scale"] = list(quantization.scale)
        value["zero_point"] = list(quantization.zero_point)
    if quantization.axis:
        value["axis"] = quantization.axis
    if tensor.constant:
        value["constant"] = True
        value["data"] = base64.b64encode(tensor.data).decode("ascii")
    return value


def _operator_json(op: GraphOperator) -> dict[str, Any]:
    return {
        "op": op.kind,
        "name": op.name,
        "inputs": op.inputs,
        "outputs": op.outputs,
        "source_index": op.source_index,
        **op.attributes,
    }


def from_json(text: str) -> GraphIR:
    """The plain values of the text that `_core.Graph.to_json` writes."""
    value = json.loads(text)
    known = {"op", "name", "inputs", "outputs", "source_index"}
    return GraphIR(
        name=value.get("name", ""),
        tensors=[_read_tensor(t) for t in value["tensors"]],
        operators=[
            GraphOperator(
                kind=o["op"],
                inputs=list(o["inputs"]),
                outputs=list(o["outputs"]),
                attributes={k: v for k, v in o.items() if k not in known},
                name=o.get("name", ""),
                source_index=o.get("source_index", -1),
            )
            for o in value["operators"]
        ],
        inputs=list(value["inputs"]),
        outputs=list(value["outputs"]),
    )


def _read_tensor(value: dict[str, Any]) -> GraphTensor:
    return GraphTensor(
        name=value.get("name", ""),
        shape=tuple(value["shape"]),
        dtype=value["dtype"],
        quantization=Quantization(
            tuple(value.get("scale", ())), tuple(value.get("zero_point", ())), value.get("axis", 0)
        ),
        constant=value.get("constant", False),
        data=base64.b64decode(value.get("data", "")),
    )
