"""`deploy`: model -> plan -> C project -> firmware linked for a board -> checks -> run in an emulator of its core."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinynas import _core
from tinynas.config.loader import configs_dir
from tinynas.config.target import load_target
from tinynas.deploy.boards import Board, find_board
from tinynas.deploy.code_size import PredictedFlash, predict_flash
from tinynas.deploy.emulate import EmulatedRun, run_qemu
from tinynas.deploy.firmware import STACK_BYTES, FirmwareBuild, LinkedSizes, board_link, linked_sizes
from tinynas.errors import CheckError, InfeasibleError, InputError
from tinynas.export.cproject import CProject, arena_in_object, build_host, export_c, run_tool

INSTRUCTIONS_PER_CYCLE = {
    "cortex-m0": 0.65,
    "cortex-m0plus": 0.65,
    "cortex-m3": 0.75,
    "cortex-m4": 0.8,
    "cortex-m33": 0.85,
    "cortex-m7": 1.2,
    "cortex-m55": 0.8,
}
"""Turns counted instructions into cycles: an estimate. M7 lies between what the published latencies of two engines give
(1.03 and 1.37); single-issue cores lose to loads and branches what their manuals' cycle tables say."""


@dataclass(frozen=True)
class DeployOptions:
    """What `deploy` is asked for. `input_files`: one per input, the raw tensors of its pictures."""

    schedule: str = "streaming"
    prefer: str = "speed"
    image: str | None = None
    """streamed or stored; None: streamed where the schedule streams."""
    run: bool = False
    check_layers: bool = False
    input_files: list[Path] = field(default_factory=list)
    seed: int = 1


def plan_for(graph: _core.Graph, core: str, options: DeployOptions) -> _core.Plan:
    """The plan that the options ask for; InputError for an unknown schedule or one that no engine here executes."""
    if options.prefer not in ("memory", "speed"):
        raise InputError(f"--prefer: expected memory or speed, got {options.prefer!r}")
    if options.image not in (None, "streamed", "stored"):
        raise InputError(f"--image: expected streamed or stored, got {options.image!r}")
    streamed = (options.image or ("streamed" if options.schedule.startswith("streaming") else "stored")) == "streamed"
    schedule = _core.ScheduleOptions(image_streamed=streamed, prefer=getattr(_core.Prefer, options.prefer), core=core)
    if options.schedule in ("layerwise", "tinyengine"):
        return _core.whole_tensor_plan(graph, options.schedule, schedule)
    plan = _core.make_oracle(options.schedule, schedule).plan(graph)
    if plan is None:
        raise InputError(f"--schedule {options.schedule}: accounts for another engine, ours cannot run it")
    return plan


def _operator_name(graph: _core.Graph, index: int) -> str:
    if not 0 <= index < len(graph.operators):
        return "?"
    operator = graph.operators[index]
    return f"{index} ({operator.kind}{' ' + repr(operator.name) if operator.name else ''})"


def _smallest_board(ram: int, flash: int) -> str:
    boards = [load_target(path.stem) for path in sorted(configs_dir("targets").glob("*.yaml"))]
    fitting = [b for b in boards if b.sram_bytes >= ram and b.flash_bytes >= flash]
    if not fitting:
        return "no board of configs/targets is large enough"
    best = min(fitting, key=lambda b: (b.sram_bytes, b.flash_bytes))
    return f"the smallest board that would do is {best.name} ({best.sram_bytes:,} B SRAM, {best.flash_bytes:,} B Flash)"


def check_fit(graph: _core.Graph, plan: _core.Plan, board: Board, flash: int) -> None:
    """InfeasibleError with bytes needed and there, the operator at the peak and a board that would do."""
    if board.memory is None:
        return
    ram = plan.arena_bytes + STACK_BYTES
    for what, needed, there in (("SRAM", ram, board.memory.ram_bytes), ("Flash", flash, board.memory.flash_bytes)):
        if needed > there:
            peak = f", most at operator {_operator_name(graph, plan.peak_operator)}" if what == "SRAM" else ""
            raise InfeasibleError(
                f"{board.name}: the network needs {needed:,} B of {what}, {there:,} B are there{peak}; "
                f"{_smallest_board(ram, flash)}"
            )


def read_inputs(project: CProject, options: DeployOptions) -> bytes:
    """The pictures as the firmware reads them: given files, or one seeded random picture."""
    ends = project.manifest["inputs"]
    if not options.input_files:
        rng = np.random.default_rng(options.seed)
        parts = [
            rng.standard_normal(end["bytes"] // 4).astype("<f4").tobytes()
            if end["dtype"] == "f32"
            else rng.integers(0, 256, end["bytes"], dtype=np.uint8).tobytes()
            for end in ends
        ]
        return b"".join(parts)
    if len(options.input_files) != len(ends):
        raise InputError(f"--input: expected {len(ends)} files, one per input, got {len(options.input_files)}")
    contents = []
    for path, end in zip(options.input_files, ends, strict=True):
        if not path.is_file():
            raise InputError(f"--input {path}: no such file")
        data = path.read_bytes()
        if not data or len(data) % end["bytes"] != 0:
            raise InputError(
                f"--input {path}: expected {end['bytes']} bytes of {end['dtype']} a picture, got {len(data)}"
            )
        contents.append((data, end["bytes"]))
    counts = {len(data) // size for data, size in contents}
    if len(counts) != 1:
        raise InputError(f"--input: expected as many pictures in every file, got {sorted(counts)}")
    count = counts.pop()
    return b"".join(data[i * size : (i + 1) * size] for i in range(count) for data, size in contents)


@dataclass
class Measured:
    """What the builds and runs of one deployment gave; None where nothing was built or run."""

    sizes: LinkedSizes | None = None
    run: EmulatedRun | None = None
    layer_instructions: dict[int, int] = field(default_factory=dict)
    layer_crc32: dict[int, int] = field(default_factory=dict)


def _run_on_host(project: CProject, inputs: bytes, options: DeployOptions) -> Measured:
    program = build_host(project, check_layers=options.check_layers)
    if arena_in_object(project) != project.arena_bytes:
        raise CheckError(
            f"the arena in the object is {arena_in_object(project)} B, planned are {project.arena_bytes} B"
        )
    measured = Measured()
    if options.run or options.check_layers:
        folder = project.folder / "run"
        folder.mkdir(exist_ok=True)
        (folder / "input.bin").write_bytes(inputs)
        report = run_tool([str(program.resolve()), "input.bin", "output.bin"], "the host program", folder)
        for line in report.splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[0] == "layer":
                measured.layer_crc32[int(fields[1])] = int(fields[2], 16)
        measured.run = EmulatedRun(0, 0, 1, (folder / "output.bin").read_bytes())
    return measured


def _run_on_core(project: CProject, board: Board, inputs: bytes, options: DeployOptions) -> Measured:
    build = FirmwareBuild(project, board.core)
    measured = Measured()
    if board.memory is not None:
        measured.sizes = linked_sizes(board_link(build, board))
    if board.machine is None:
        if options.run or options.check_layers:
            raise CheckError(f"{board.name}: there is no emulator of a {board.core}; deploy without --run")
        return measured
    machine = board.machine
    emulator = f"emulator-{machine.name}"
    elf = build.link(emulator, machine.memory, "board_emulator.c")
    if measured.sizes is None:
        measured.sizes = linked_sizes(build.link(f"{board.name}-bare", machine.memory, "board_bare.c"))
    if options.run:
        folder = project.folder / "run"
        measured.run = run_qemu(elf, machine, inputs, folder)
        probed = build.link(emulator, machine.memory, "board_emulator.c", ("TN_PROBES",))
        measured.layer_instructions = run_qemu(
            probed, machine, inputs, project.folder / "run-probes"
        ).layer_instructions
    if options.check_layers:
        checked = build.link(emulator, machine.memory, "board_emulator.c", ("TN_CHECK_LAYERS",))
        result = run_qemu(checked, machine, inputs, project.folder / "run-checks")
        measured.layer_crc32 = result.layer_crc32
        measured.run = measured.run or EmulatedRun(0, result.stack_bytes, result.pictures, result.output)
    return measured


def _layers(graph: _core.Graph, measured: Measured) -> list[dict[str, Any]]:
    """One entry per operator of the source file; those that were folded away have null."""
    entries: dict[int, dict[str, Any]] = {}
    extra: list[dict[str, Any]] = []
    imported = any(operator.source_index >= 0 for operator in graph.operators)
    for i, operator in enumerate(graph.operators):
        crc = measured.layer_crc32.get(i)
        entry = {
            "index": operator.source_index if imported else i,
            "operator": operator.kind,
            "instructions": measured.layer_instructions.get(i),
            "crc32": None if crc is None else f"{crc:08x}",
        }
        if imported and (operator.source_index < 0 or operator.source_index in entries):
            extra.append({**entry, "index": None})
        else:
            entries[entry["index"]] = entry
    last = max(entries, default=-1)
    folded = {"operator": None, "instructions": None, "crc32": None}
    return [entries.get(i, {"index": i, **folded}) for i in range(last + 1)] + extra


def _write_outputs(project: CProject, measured: Measured) -> list[str]:
    """One raw file per output, pictures one after the other."""
    if measured.run is None:
        return []
    ends = project.manifest["outputs"]
    total = sum(end["bytes"] for end in ends)
    files, at = [], 0
    for i, end in enumerate(ends):
        path = project.folder / f"output{i}.bin"
        raw = measured.run.output
        path.write_bytes(b"".join(raw[p + at : p + at + end["bytes"]] for p in range(0, len(raw), total)))
        files.append(str(path))
        at += end["bytes"]
    return files


def _check_sizes(project: CProject, sizes: LinkedSizes, predicted: PredictedFlash) -> list[str]:
    """Warnings; CheckError when SRAM differs by a byte or, from the table's own compiler, Flash by more than 1 %."""
    if sizes.arena != project.arena_bytes:
        raise CheckError(f"arena: the linker has {sizes.arena} B, the plan {project.arena_bytes} B")
    if sizes.other > 512:
        raise CheckError(f"RAM outside the arena: {sizes.other} B, at most 512 B are promised")
    difference = abs(sizes.flash - predicted.total) / predicted.total
    if difference <= 0.01:
        return []
    text = f"Flash: the linker has {sizes.flash} B, predicted were {predicted.total} B ({100 * difference:.1f} % off)"
    if predicted.same_compiler:
        raise CheckError(text)
    return [text + "; the table of code sizes was measured with another compiler"]


def deploy(graph: _core.Graph, target: str, out: Path, options: DeployOptions) -> dict[str, Any]:
    """Plans, generates, builds, checks and, if asked, runs; returns the JSON value of the verb.

    target: `host`, `qemu-m3` ... `qemu-m55`, or a board of configs/targets. out: a folder, made if absent.
    InputError for what the kernels do not support, InfeasibleError when it does not fit, CheckError when a tool is
    missing, a prediction proves wrong or the emulator fails.
    """
    board = find_board(target)
    plan = plan_for(graph, board.core, options)
    project = export_c(graph, plan, out, core=board.core, prefer=options.prefer)
    predicted = predict_flash(project, board.core)
    check_fit(graph, plan, board, predicted.total)
    inputs = read_inputs(project, options)
    measured = _run_on_core(project, board, inputs, options) if board.core else _run_on_host(project, inputs, options)
    warnings = _check_sizes(project, measured.sizes, predicted) if measured.sizes else []
    return _report(graph, board, options, project, predicted, measured, warnings)


def _report(
    graph: _core.Graph,
    board: Board,
    options: DeployOptions,
    project: CProject,
    predicted: PredictedFlash,
    measured: Measured,
    warnings: list[str],
) -> dict[str, Any]:
    sizes, run = measured.sizes, measured.run
    instructions = run.instructions if run and run.instructions else None
    latency = None
    if instructions and board.clock_hz:
        latency = 1e6 * instructions / INSTRUCTIONS_PER_CYCLE[board.core] / board.clock_hz
    return {
        "target": board.name,
        "schedule": options.schedule,
        "instructions": instructions,
        "latency_us": latency,
        "sram": {
            "arena_bytes": sizes.arena if sizes else project.arena_bytes,
            "other_bytes": sizes.other if sizes else None,
            "stack_bytes": run.stack_bytes if run and run.stack_bytes else None,
        },
        "flash": {
            "weights_bytes": sizes.weights if sizes else project.weights_bytes,
            "code_bytes": sizes.code if sizes else None,
            "total_bytes": sizes.flash if sizes else None,
        },
        "predicted": {"arena_bytes": project.arena_bytes, "flash_bytes": predicted.total if board.core else None},
        "outputs": _write_outputs(project, measured),
        "layers": _layers(graph, measured),
        "warnings": warnings,
    }


def remove_objects(out: Path) -> None:
    """Leaves the project and the linked files, without objects."""
    shutil.rmtree(out / "objects", ignore_errors=True)
