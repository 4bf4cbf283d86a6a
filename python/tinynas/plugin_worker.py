"""The process around an oracle's shared library: `python -m tinynas.plugin_worker LIBRARY`.

Writes a line {"name": ...} or {"error": ...}; then, for every line with a graph, {"cost": {...}} or {"error": ...}.
The structs are those of src/oracle/plugin.h. What the library prints goes to standard error.
"""

from __future__ import annotations

import ctypes as c
import json
import os
import sys
from typing import Any, BinaryIO

ABI_VERSION = 1
MESSAGE_BYTES = 512


class Tensor(c.Structure):
    """tn_oracle_tensor."""

    _fields_ = [
        ("name", c.c_char_p),
        ("bytes", c.c_int64),
        ("shape", c.POINTER(c.c_int32)),
        ("rank", c.c_int32),
        ("constant", c.c_int32),
        ("producer", c.c_int32),
        ("last_reader", c.c_int32),
    ]


class Operator(c.Structure):
    """tn_oracle_operator."""

    _fields_ = [
        ("name", c.c_char_p),
        ("kind", c.c_char_p),
        ("macs", c.c_int64),
        ("inputs", c.POINTER(c.c_int32)),
        ("input_count", c.c_int32),
        ("output", c.c_int32),
    ]


class Graph(c.Structure):
    """tn_oracle_graph."""

    _fields_ = [
        ("name", c.c_char_p),
        ("tensors", c.POINTER(Tensor)),
        ("operators", c.POINTER(Operator)),
        ("tensor_count", c.c_int32),
        ("operator_count", c.c_int32),
        ("json", c.c_char_p),
    ]


class Cost(c.Structure):
    """tn_oracle_cost."""

    _fields_ = [
        ("macs", c.c_int64),
        ("params", c.c_int64),
        ("act_bytes", c.c_int64),
        ("flash_bytes", c.c_int64),
        ("sram_bytes", c.c_int64),
        ("activation_bytes", c.c_int64),
        ("scratch_bytes", c.c_int64),
        ("latency_us", c.c_double),
        ("peak_operator", c.c_int32),
    ]


def load(path: str) -> c.CDLL:
    """The library with its functions typed; ValueError when it is none or of another version."""
    try:
        library = c.CDLL(path)
        library.tn_oracle_abi_version.restype = c.c_uint32
        library.tn_oracle_name.restype = c.c_char_p
        library.tn_oracle_cost_of.restype = c.c_int32
        library.tn_oracle_cost_of.argtypes = [c.POINTER(Graph), c.POINTER(Cost), c.c_char_p, c.c_int32]
    except (OSError, AttributeError) as error:
        raise ValueError(f"cannot be loaded: {error}") from error
    version = library.tn_oracle_abi_version()
    if version != ABI_VERSION:
        raise ValueError(f"expected version {ABI_VERSION} of the interface, got {version}")
    return library


def cost_of(library: c.CDLL, request: dict[str, Any]) -> dict[str, Any]:
    """Asks the library; ValueError with its message when it refuses the graph."""

    def ints(values: list[int]) -> Any:
        return (c.c_int32 * len(values))(*values)

    tensors = [
        Tensor(
            t["name"].encode(),
            t["bytes"],
            ints(t["shape"]),
            len(t["shape"]),
            t["constant"],
            t["producer"],
            t["last_reader"],
        )
        for t in request["tensors"]
    ]
    operators = [
        Operator(o["name"].encode(), o["kind"].encode(), o["macs"], ints(o["inputs"]), len(o["inputs"]), o["output"])
        for o in request["operators"]
    ]
    graph = Graph(
        request["name"].encode(),
        (Tensor * len(tensors))(*tensors),
        (Operator * len(operators))(*operators),
        len(tensors),
        len(operators),
        request["json"].encode(),
    )
    cost = Cost(**request["cost"])
    message = c.create_string_buffer(MESSAGE_BYTES)
    if library.tn_oracle_cost_of(c.byref(graph), c.byref(cost), message, MESSAGE_BYTES) != 0:
        raise ValueError(message.value.decode(errors="replace") or "refused the graph without a message")
    return {field[0]: getattr(cost, field[0]) for field in Cost._fields_}


def serve(path: str, answers: BinaryIO) -> int:
    """The exchange described above, until standard input ends."""

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    try:
        library = load(path)
    except ValueError as error:
        say({"error": str(error)})
        return 2
    say({"name": library.tn_oracle_name().decode(errors="replace")})
    for line in sys.stdin.buffer:
        try:
            say({"cost": cost_of(library, json.loads(line))})
        except ValueError as error:
            say({"error": str(error)})
    return 0


if __name__ == "__main__":
    own_output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.exit(serve(sys.argv[1], own_output))
