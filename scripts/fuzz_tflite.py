#!/usr/bin/env python3
"""Feeds damaged and hostile .tflite files to the importer, and runs what it accepts.

    scripts/fuzz_tflite.py --seconds 60 [--seed 1] [--save build/fuzz_tflite]
    scripts/fuzz_tflite.py --seed 1 --case 1234        one case again, in this process

Seeds are files that the tests' generator writes, and the published models where ../shared has them. A case fails when
anything but InputError is raised, when it takes more than 5 s of processor time, when the process dies or hangs, or
when an accepted network computes something else after export and import. Exit code 1 when a case failed; its file is
saved.
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))
sys.path.insert(0, str(ROOT / "tests" / "python" / "tflite"))

from nets import Net  # noqa: E402
from random_networks import random_network  # noqa: E402

from tinynas import InputError, _core  # noqa: E402
from tinynas.tflite import load_tflite  # noqa: E402
from tinynas.tflite.exporter import export_tflite  # noqa: E402
from tinynas.tflite.ir import from_json  # noqa: E402

CASE_SECONDS = 5.0  # of processor time
WALL_SECONDS = 120.0  # waiting for another thread, or a machine that is busy otherwise
MEMORY_BYTES = 4 << 30
MAX_RUN_ELEMENTS = 1 << 20
MAX_RUN_MACS = 1 << 24
INTERESTING = (0, 1, -1, 2, 4, 127, 128, 255, 256, 32767, 65535, 1 << 20, (1 << 31) - 1, -(1 << 31), 1 << 30)
REALS = (0.0, -1.0, float("nan"), float("inf"), 1e-45, 1e-30, 1e-10, 1.0, 1e10, 3e38)
TYPES = ("INT8", "INT4", "UINT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT16", "BOOL", "STRING")


class MismatchError(Exception):
    """An accepted network computes something else after export and import."""


def seed_files() -> list[bytes]:
    """The published models that are there; the generator's files come on top, case by case."""
    shared = ROOT.parent / "shared" / "data"
    return [path.read_bytes() for path in sorted(shared.glob("*/*.tflite"))]


def damage(rng: np.random.Generator, data: bytes, other: bytes) -> bytes:
    """One to four mutations of the bytes."""
    for _ in range(int(rng.integers(1, 5))):
        data = _damage_once(rng, bytearray(data), other)
    return data


def _damage_once(rng: np.random.Generator, data: bytearray, other: bytes) -> bytes:
    if len(data) < 16:
        return bytes(data)
    kind = int(rng.integers(7))
    start = int(rng.integers(len(data)))
    length = int(rng.integers(1, 64))
    if kind == 0:
        return bytes(data[:start])
    if kind == 1:
        for position in rng.integers(0, len(data), length):
            data[position] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        at = start // 4 * 4
        data[at : at + 4] = np.int64(rng.choice(INTERESTING)).astype("<i4").tobytes()
    elif kind == 3:
        cut = int(rng.integers(max(len(other), 1)))
        return bytes(data[:start]) + other[cut:]
    elif kind == 4:
        data[start : start + length] = bytes(length)
    elif kind == 5:
        target = int(rng.integers(len(data)))
        data[target : target + length] = data[start : start + length]
    else:
        del data[start : start + length]
    return bytes(data)


def distort(rng: np.random.Generator, net: Net, outputs: list[int]) -> bytes:
    """A file that is sound as a FlatBuffer and wrong in what it says."""
    writer = net.writer
    for _ in range(int(rng.integers(1, 4))):
        tensor = writer.tensors[int(rng.integers(len(writer.tensors)))]
        op = writer.operators[int(rng.integers(len(writer.operators)))]
        kind = int(rng.integers(9))
        if kind == 0:
            tensor.shape = _distorted_shape(rng, tuple(tensor.shape))
        elif kind == 1:
            tensor.type = str(rng.choice(TYPES))
        elif kind == 2:
            tensor.scale = [float(np.float32(rng.choice(REALS))) for _ in tensor.scale]
        elif kind == 3:
            tensor.zero_point = [int(rng.choice(INTERESTING)) for _ in range(int(rng.integers(3)))]
        elif kind == 4:
            tensor.axis = int(rng.integers(-2, 6))
        elif kind == 5 and tensor.data is not None:
            tensor.data = _distorted_data(rng, tensor.data)
        elif kind == 6:
            op.inputs = [int(rng.integers(-1, len(writer.tensors))) if rng.random() < 0.3 else i for i in op.inputs]
        elif kind == 7:
            op.fields = {k: _distorted_option(rng, v) if rng.random() < 0.5 else v for k, v in op.fields.items()}
        else:
            op.code = writer.operators[int(rng.integers(len(writer.operators)))].code
    return net.finish(outputs)


def _distorted_shape(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, ...]:
    values = [int(rng.choice(INTERESTING)) if rng.random() < 0.4 else d for d in shape]
    if rng.random() < 0.3:
        values = values[1:] if rng.random() < 0.5 else [1, *values]
    return tuple(values)


def _distorted_data(rng: np.random.Generator, data: bytes) -> bytes:
    if rng.random() < 0.2:
        return data[: len(data) // 2]
    words = bytearray(data)
    at = int(rng.integers(max(len(words), 1))) // 4 * 4
    words[at : at + 4] = np.int64(rng.choice(INTERESTING)).astype("<i4").tobytes()
    return bytes(words[: len(data)])


def _distorted_option(rng: np.random.Generator, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return float(np.float32(rng.choice(REALS)))
    if isinstance(value, int):
        return int(rng.choice([-128, -1, 0, 1, 2, 3, 5, 127]))
    return [int(rng.choice(INTERESTING)) for _ in range(int(rng.integers(6)))]


def make_case(seed: int, case: int, files: list[bytes]) -> bytes:
    """The bytes of one case: a pure function of its numbers and the published models."""
    rng = np.random.default_rng([seed, case])
    data, net = random_network(int(rng.integers(1 << 30)), steps=int(rng.integers(1, 8)))
    if case % 2 and net.writer.operators:
        return distort(rng, net, [net.writer.operators[-1].outputs[0]])
    if files and rng.random() < 0.2:
        data = files[int(rng.integers(len(files)))]
    other = files[int(rng.integers(len(files)))] if files and rng.random() < 0.3 else data
    return damage(rng, data, other)


def run_case(data: bytes) -> str:
    """Import, run, export and run again: refused, loaded or ran. Raises what is a failure."""
    try:
        graph = load_tflite(data)
    except InputError:
        return "refused"
    elements = sum(int(np.prod(t.shape, dtype=np.int64)) for t in graph.tensors)
    if elements > MAX_RUN_ELEMENTS or graph.macs() > MAX_RUN_MACS:
        return "loaded"
    try:
        inputs = [_input(graph.tensors[i]) for i in graph.inputs]
        results = _core.run(graph, inputs)
        again = load_tflite(export_tflite(from_json(graph.to_json())))
    except InputError:
        return "loaded"
    for a, b in zip(results, _core.run(again, inputs), strict=True):
        if a.shape != b.shape or a.tobytes() != b.tobytes():
            raise MismatchError(f"outputs of shape {a.shape} and {b.shape} differ")
    return "ran"


def _input(tensor: Any) -> np.ndarray:
    dtype = {"s8": np.int8, "u8": np.uint8, "f32": np.float32, "s32": np.int32, "s64": np.int64, "s16": np.int16}
    rng = np.random.default_rng(0)
    return rng.integers(0, 128, tensor.shape).astype(dtype.get(tensor.dtype, np.int8))


def worker(seed: int, first: int, pipe: int) -> None:
    """Runs cases until the parent ends it; a line per case: its number, and its outcome after it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = seed_files()
    case = first
    while True:
        data = make_case(seed, case, files)
        os.write(pipe, f"{case} start\n".encode())
        signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)  # SIGPROF ends the process
        try:
            outcome = run_case(data)
        except BaseException:
            outcome = "failed " + traceback.format_exc().replace("\n", "\\n")[-2000:]
        os.write(pipe, f"{case} {outcome}\n".encode())
        case += 1


class Run:
    """A fuzzing run: a worker at a time, watched through a pipe."""

    def __init__(self, seed: int, seconds: float, save: Path) -> None:
        self.seed, self.end, self.save = seed, time.monotonic() + seconds, save
        self.counts = {"refused": 0, "loaded": 0, "ran": 0, "failed": 0}
        self.case = 0

    def fail(self, reason: str) -> None:
        """Report the current case and keep its file."""
        self.counts["failed"] += 1
        self.save.mkdir(parents=True, exist_ok=True)
        path = self.save / f"seed{self.seed}_case{self.case}.tflite"
        path.write_bytes(make_case(self.seed, self.case, seed_files()))
        print(f"case {self.case}: {reason}\n  saved as {path}", flush=True)

    def watch(self) -> None:
        """Start a worker at the current case; returns when time is up, or after a case that hung or killed it."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            try:
                worker(self.seed, self.case, write)
            finally:
                os._exit(3)
        os.close(write)
        reason = self._follow(read)
        os.close(read)
        os.kill(pid, 9)
        _, status = os.waitpid(pid, 0)
        if reason:
            ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) and reason == "died" else 0
            if ended == signal.SIGPROF:
                reason = f"took more than {CASE_SECONDS:g} s of processor time"
            elif ended:
                reason += f" (signal {ended})"
            self.fail(reason)
            self.case += 1

    def _follow(self, read: int) -> str:
        pending = b""
        while time.monotonic() < self.end:
            ready, _, _ = select.select([read], [], [], WALL_SECONDS)
            if not ready:
                return f"no end after {WALL_SECONDS:.0f} s"
            chunk = os.read(read, 65536)
            if not chunk:
                return "died"
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                self._note(*line.decode().split(" ", 2))
        return ""

    def _note(self, case: str, outcome: str, detail: str = "") -> None:
        self.case = int(case)
        if outcome == "failed":
            self.fail(detail.replace("\\n", "\n"))
        elif outcome != "start":
            self.counts[outcome] += 1


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="run only this case, here")
    parser.add_argument("--save", type=Path, default=ROOT / "build" / "fuzz_tflite")
    options = parser.parse_args()
    if options.case is not None:
        print(run_case(make_case(options.seed, options.case, seed_files())))
        return 0
    run = Run(options.seed, options.seconds, options.save)
    while time.monotonic() < run.end:
        run.watch()
    print(f"seed {run.seed}, {run.case} cases: " + ", ".join(f"{n} {what}" for what, n in run.counts.items()))
    return 1 if run.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
