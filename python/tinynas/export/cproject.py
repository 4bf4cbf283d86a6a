"""C projects: a graph and its plan as C11 that any compiler builds, and the host build that runs many pictures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas import _core
from tinynas.errors import CheckError, InputError

_NUMPY_TYPES = {"s8": np.int8, "u8": np.uint8, "s16": np.int16, "s32": np.int32, "f32": np.float32}
_SMALLEST_SHARE = 8
"""Pictures below which another process is not worth its start."""


@dataclass(frozen=True)
class CProject:
    """A generated project on disk. Bytes are those of the plan and of the constant arrays."""

    folder: Path
    name: str
    arena_bytes: int
    weights_bytes: int
    manifest: dict[str, Any]


def engine_dir() -> Path:
    """The engine's sources: inside the installed package, or in the checkout that the package runs from."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "engine", package.parents[1] / "src" / "engine"):
        if (candidate / "include" / "tinynas" / "step.h").is_file():
            return candidate
    raise CheckError(f"the engine's sources are not in {package / 'engine'}: install the package again")


def _copy_engine(sources: list[str], out: Path) -> None:
    engine = engine_dir()
    shutil.copytree(engine / "include", out / "include", dirs_exist_ok=True)
    # Included parts (.h, .inc) of a kernel set lie beside its sources; check.c serves builds with TN_CHECK_LAYERS.
    for folder in sorted({Path(source).parent for source in [*sources, "portable/check.c"]}):
        (out / folder).mkdir(parents=True, exist_ok=True)
        for part in (engine / folder).iterdir():
            if part.suffix in {".h", ".inc"}:
                shutil.copy(part, out / folder / part.name)
    for source in [*sources, "portable/check.c"]:
        shutil.copy(engine / source, out / source)


def export_c(
    graph: _core.Graph,
    plan: _core.Plan,
    out: Path,
    *,
    name: str = "model",
    core: str = "",
    prefer: str = "memory",
) -> CProject:
    """Writes the C project of `plan` into the folder `out` (made if absent; files of an earlier project are replaced).

    `core` says whose kernels run ("" and "host": portable C), `prefer` is "memory" or "speed". InputError for a graph
    that the kernels cannot compute, and for an `out` that is a file.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"[export] {out}: expected a folder, got a file")
    project = _core.generate_project(graph, plan, name=name, core=core, prefer=getattr(_core.Prefer, prefer))
    out.mkdir(parents=True, exist_ok=True)
    for file, text in project.files.items():
        (out / file).write_text(text)
    _copy_engine(project.engine_sources, out / "engine")
    manifest = json.loads(project.files["manifest.json"])
    return CProject(out, name, project.arena_bytes, project.weights_bytes, manifest)


def require_tool(tool: str, package: str) -> str:
    """The tool's path; CheckError with the Debian package that has it."""
    path = shutil.which(tool)
    if path is None:
        raise CheckError(f"{tool} is not installed: sudo apt-get install --no-install-recommends {package}")
    return path


def run_tool(command: list[str], what: str, cwd: Path | None = None) -> str:
    """Standard output of a command; CheckError with the last lines of its output when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise CheckError(f"{what} failed with exit code {done.returncode}:\n{tail}")
    return done.stdout


def build_host(project: CProject, *, check_layers: bool = False, flags: str = "-O2") -> Path:
    """Builds the project with this machine's compiler and its own Makefile; returns the program."""
    require_tool("cc", "gcc")
    make = require_tool("make", "make")
    command = [make, "-s", "-B", f"OPT={flags}"] + (["CHECK=1"] if check_layers else [])
    run_tool(command, f"building {project.folder}", project.folder)
    return project.folder / f"{project.name}_host"


def arena_in_object(project: CProject) -> int:
    """Bytes of the arena in the compiled object, as nm reports them: what the linker will reserve."""
    nm = require_tool("nm", "binutils")
    listing = run_tool([nm, "-S", str(project.folder / f"{project.name}.o")], "nm")
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[3] == "arena":
            return int(fields[1], 16)
    raise CheckError(f"no arena in {project.folder / project.name}.o")


def raw_inputs(project: CProject, inputs: list[NDArray[Any]]) -> bytes:
    """The file that the host program reads: for every picture its inputs one after the other."""
    count = len(inputs[0])
    parts = []
    for i, (end, array) in enumerate(zip(project.manifest["inputs"], inputs, strict=True)):
        wanted = _NUMPY_TYPES[end["dtype"]]
        if array.dtype != wanted or len(array) != count or array[0].nbytes * count != end["bytes"] * count:
            raise InputError(
                f"[run] input {i} '{end['name']}': expected {count} arrays of {end['bytes']} bytes of {end['dtype']}, "
                f"got {array.dtype} {list(array.shape)}"
            )
        parts.append(np.ascontiguousarray(array).reshape(count, -1).view(np.uint8))
    return np.concatenate(parts, axis=1).tobytes()


def split_outputs(project: CProject, raw: bytes, count: int) -> list[NDArray[Any]]:
    """One array per output from the program's file, pictures along the first axis."""
    ends = project.manifest["outputs"]
    total = sum(end["bytes"] for end in ends)
    if len(raw) != total * count:
        raise CheckError(f"{project.name}: expected {total * count} bytes of outputs, got {len(raw)}")
    table = np.frombuffer(raw, np.uint8).reshape(count, total)
    arrays, at = [], 0
    for end in ends:
        part = np.ascontiguousarray(table[:, at : at + end["bytes"]]).view(_NUMPY_TYPES[end["dtype"]])
        shape = end["shape"][1:] if end["shape"] and end["shape"][0] == 1 else end["shape"]
        arrays.append(part.reshape(count, *shape))
        at += end["bytes"]
    return arrays


@dataclass(frozen=True)
class HostRun:
    """Outputs (one array per output, pictures first); from a build with check_layers the last picture's CRC-32s."""

    outputs: list[NDArray[Any]]
    crc32: dict[int, int]


def run_host(project: CProject, inputs: list[NDArray[Any]], program: Path | None = None) -> HostRun:
    """Runs the host program (built here if not given) over N pictures, a process per core for its share of them: one
    array per input, N first."""
    program = program or build_host(project)
    count = len(inputs[0])
    processes = max(1, min(os.cpu_count() or 1, count // _SMALLEST_SHARE))
    bounds = [count * i // processes for i in range(processes + 1)]
    shares = [[array[start:stop] for array in inputs] for start, stop in pairwise(bounds)]
    with ThreadPoolExecutor(processes) as pool:
        runs = list(pool.map(lambda share: _run_share(project, share, program), shares))
    outputs = [np.concatenate(parts) for parts in zip(*(run.outputs for run in runs), strict=True)]
    return HostRun(outputs, runs[-1].crc32)


def _run_share(project: CProject, inputs: list[NDArray[Any]], program: Path) -> HostRun:
    with tempfile.TemporaryDirectory() as scratch:
        source, sink = Path(scratch) / "in.bin", Path(scratch) / "out.bin"
        source.write_bytes(raw_inputs(project, inputs))
        report = run_tool([str(program), str(source), str(sink)], str(program))
        outputs = split_outputs(project, sink.read_bytes(), len(inputs[0]))
    return HostRun(outputs, parse_layers(report))


def parse_layers(report: str) -> dict[int, int]:
    """CRC-32 by operator from lines `layer INDEX HEX`; the last picture's stand."""
    layers: dict[int, int] = {}
    for line in report.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0] == "layer":
            layers[int(fields[1])] = int(fields[2], 16)
    return layers
