"""Oracles in shared libraries (src/oracle/plugin.h), each in a process of its own that can be ended."""

from __future__ import annotations

import json
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import tinynas._core as _core
from tinynas.errors import CheckError, InputError

TIMEOUT_S = 10.0
BITS = {"f32": 32, "s8": 8, "u8": 8, "s4": 4, "s16": 16, "s32": 32, "s64": 64}


class PluginOracle(_core.Oracle):  # type: ignore[misc]
    """The oracle that a shared library implements.

    InputError when the library cannot be loaded, has another version of the interface or refuses a graph; CheckError
    when it crashes or does not answer in time. The library is named in each.
    """

    def __init__(self, library: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._worker = _Worker(library, timeout_s)
        super().__init__(self._worker.name)

    def cost(self, graph: _core.Graph) -> _core.Cost:
        """What the library says; `layers` hold the work and Flash of each operator only."""
        facts = _core.make_oracle("tinyengine").cost(graph)
        answer = self._worker.ask(_describe(graph, facts))
        for field, value in answer.items():
            setattr(facts, field, value)
        facts.lower_bound_bytes = 0
        if facts.peak_operator >= len(graph.operators):
            raise CheckError(f"{self._worker.place}: peak_operator {facts.peak_operator} is no operator of the graph")
        return facts

    def close(self) -> None:
        """Ends the library's process."""
        self._worker.stop()


def _describe(graph: _core.Graph, facts: _core.Cost) -> dict[str, Any]:
    """The graph as the worker passes it on, and the figures that the library finds filled in."""
    producer = {operator.outputs[0]: index for index, operator in enumerate(graph.operators)}
    last_reader = {tensor: index for index, operator in enumerate(graph.operators) for tensor in operator.inputs}
    last_reader |= dict.fromkeys(graph.outputs, len(graph.operators))
    return {
        "name": graph.name,
        "json": graph.to_json(),
        "tensors": [
            {
                "name": tensor.name,
                "bytes": (math.prod(tensor.shape) * BITS[tensor.dtype] + 7) // 8,
                "shape": list(tensor.shape),
                "constant": int(tensor.constant),
                "producer": producer.get(index, -1),
                "last_reader": last_reader.get(index, -1),
            }
            for index, tensor in enumerate(graph.tensors)
        ],
        "operators": [
            {
                "name": operator.name,
                "kind": operator.kind,
                "macs": layer.macs,
                "inputs": list(operator.inputs),
                "output": operator.outputs[0],
            }
            for operator, layer in zip(graph.operators, facts.layers, strict=True)
        ],
        "cost": {
            "macs": facts.macs,
            "params": facts.params,
            "act_bytes": facts.act_bytes,
            "flash_bytes": graph.constant_bytes(),
            "peak_operator": -1,
        },
    }


class _Worker:
    """The process that holds the library: a line of JSON in, a line out. Started again after it was ended."""

    def __init__(self, library: Path, timeout_s: float) -> None:
        if not library.is_file():
            raise InputError(f"--oracle {library}: expected a shared library, found no such file")
        self.place = f"oracle plugin {library}"
        self._library = library.resolve()
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        with self._lock:
            self.name = self._start()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if self._process is None:
                self._start()
            answer = self._exchange(request)
        return dict(answer["cost"])

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._rest = b""

    def _start(self) -> str:
        command = [sys.executable, "-m", "tinynas.plugin_worker", str(self._library)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return str(self._exchange(None)["name"])

    def _exchange(self, request: dict[str, Any] | None) -> dict[str, Any]:
        """Sends a request, if there is one, and reads a line."""
        assert self._process is not None and self._process.stdin is not None
        try:
            if request is not None:
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                self._process.stdin.flush()
            line = self._read_line(time.monotonic() + self._timeout_s)
        except BrokenPipeError:
            line = b""
        if not line:
            code = self._process.wait()
            self.stop()
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise CheckError(f"{self.place}: its process {how}: the fault is the plugin's")
        answer = dict(json.loads(line))
        if "error" in answer:
            raise InputError(f"{self.place}: {answer['error']}")
        return answer

    def _read_line(self, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self.stop()
                raise CheckError(f"{self.place}: no answer within {self._timeout_s:g} s: the fault is the plugin's")
            chunk = os.read(pipe, 1 << 16)
            if not chunk:
                return b""
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.stop()
