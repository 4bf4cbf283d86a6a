"""`deploy`: model -> shrink -> plan -> C project -> firmware linked for a board -> checks -> run in an emulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinynas import _core
from tinynas.deploy.boards import Board, find_board
from tinynas.deploy.code_size import PredictedFlash, predict_flash
from tinynas.deploy.emulate import EmulatedRun, run_qemu
from tinynas.deploy.firmware import FirmwareBuild, LinkedSizes, board_link, linked_sizes
from tinynas.deploy.fit import arena_limit, check_fit, check_sizes
from tinynas.deploy.options import DeployOptions, plan_for
from tinynas.deploy.pictures import check_equal, read_inputs, reference_outputs
from tinynas.errors import CheckError
from tinynas.export.cproject import CProject, arena_in_object, build_host, export_c, parse_layers, run_tool
from tinynas.latency import microseconds
from tinynas.shrinking import Shrunk, shrink_model


@dataclass
class Measured:
    """What the builds and runs of one deployment gave; None where nothing was built or run."""

    sizes: LinkedSizes | None = None
    run: EmulatedRun | None = None
    layer_instructions: dict[int, int] = field(default_factory=dict)
    layer_crc32: dict[int, int] = field(default_factory=dict)
    host_outputs: bytes = b""


def _host_outputs(program: Path, folder: Path, inputs: bytes) -> tuple[bytes, str]:
    """Raw outputs of all pictures, and what the host program printed."""
    folder.mkdir(exist_ok=True)
    (folder / "input.bin").write_bytes(inputs)
    report = run_tool([str(program.resolve()), "input.bin", "output.bin"], "the host program", folder)
    return (folder / "output.bin").read_bytes(), report


def _run_on_host(deployment: Deployment) -> Measured:
    project, options = deployment.project, deployment.options
    program = build_host(project)
    arena = arena_in_object(project)
    if arena != project.arena_bytes:
        raise CheckError(f"the arena in the object is {arena} B, planned are {project.arena_bytes} B")
    measured = Measured()
    if options.run or options.check_layers:
        output, _ = _host_outputs(program, project.folder / "run", deployment.inputs)
        measured.run = EmulatedRun(0, 0, deployment.pictures, output)
    if options.check_layers:
        checked = deployment.checked_project()
        output, report = _host_outputs(
            build_host(checked, check_layers=True), checked.folder / "run-checks", deployment.inputs
        )
        measured.layer_crc32 = parse_layers(report)
        deployment.check_outputs(output, "the build without layer checks", measured.run)
    return measured


def _run_on_core(deployment: Deployment) -> Measured:
    board, options, project = deployment.board, deployment.options, deployment.project
    build = FirmwareBuild(project, board.core)
    measured = Measured()
    if board.memory is not None:
        measured.sizes = linked_sizes(board_link(build, board))
    if board.machine is None:
        if options.run or options.check_layers:
            raise CheckError(f"{board.name}: there is no emulator of a {board.core}; deploy without --run")
        return measured
    machine, inputs = board.machine, deployment.inputs
    emulator = f"emulator-{machine.name}"
    if measured.sizes is None:
        measured.sizes = linked_sizes(build.link(f"{board.name}-bare", machine.memory, "board_bare.c"))
    elf = build.link(emulator, machine.memory, "board_emulator.c")
    if options.run or options.check_layers:
        measured.run = run_qemu(elf, machine, inputs, project.folder / "run")
    if options.run:
        probed = build.link(emulator, machine.memory, "board_emulator.c", ("TN_PROBES",))
        measured.layer_instructions = run_qemu(
            probed, machine, inputs[: deployment.picture_bytes], project.folder / "run-probes"
        ).layer_instructions
    if options.check_layers:
        checked = deployment.checked_project()
        checking = build if checked is project else FirmwareBuild(checked, board.core)
        elf = checking.link(emulator, machine.memory, "board_emulator.c", ("TN_CHECK_LAYERS",))
        result = run_qemu(elf, machine, inputs, checked.folder / "run-checks")
        measured.layer_crc32 = result.layer_crc32
        deployment.check_outputs(result.output, "the build without layer checks", measured.run)
    return measured


@dataclass
class Deployment:
    """A network on its way to a board: what was asked for, what is shipped and how much it will take."""

    model: Shrunk
    board: Board
    options: DeployOptions
    project: CProject
    predicted: PredictedFlash
    inputs: bytes
    unshrunk_plan: _core.Plan
    """Of the network as it came."""

    @property
    def picture_bytes(self) -> int:
        return sum(int(end["bytes"]) for end in self.project.manifest["inputs"])

    @property
    def pictures(self) -> int:
        return len(self.inputs) // self.picture_bytes

    def checked_project(self) -> CProject:
        """What layer checks are compiled into: the network as it came, whose tensors are the source file's."""
        if not self.model.changed:
            return self.project
        folder, core = self.project.folder / "unshrunk", self.board.core
        return export_c(self.model.original, self.unshrunk_plan, folder, core=core, prefer=self.options.prefer)

    def check_outputs(self, wanted: bytes, what: str, run: EmulatedRun | None) -> None:
        """CheckError when the run gave other bytes than `what` did."""
        size = sum(int(end["bytes"]) for end in self.project.manifest["outputs"])
        if run is not None:
            check_equal(run.output, wanted, size, what)


def deploy(graph: _core.Graph, target: str, out: Path, options: DeployOptions) -> dict[str, Any]:
    """Shrinks, plans, generates, builds, checks and, if asked, runs; returns the JSON value of the verb.

    target: `host`, `qemu-m3` ... `qemu-m55`, or a board of configs/targets. out: a folder, made if absent.
    Outputs of a run must equal those of the reference interpreter on the network as it came, and with
    `options.pictures` those of its C code on this machine.
    InputError for what the kernels do not support, InfeasibleError when it does not fit, CheckError when a tool is
    missing, a prediction proves wrong or the emulator fails.
    """
    board = find_board(target)
    model = shrink_model(graph, options.shrink)
    limit = arena_limit(board)
    plan = plan_for(model.graph, board.core, options, limit)
    before = plan_for(graph, board.core, options, limit) if model.changed else plan
    project = export_c(model.graph, plan, out, core=board.core, prefer=options.prefer)
    predicted = predict_flash(project, board.core)
    check_fit(model.graph, plan, board, predicted.total)
    deployment = Deployment(model, board, options, project, predicted, read_inputs(project, options), before)
    measured = _run_on_core(deployment) if board.core else _run_on_host(deployment)
    if options.run:
        wanted = reference_outputs(graph, deployment.inputs)
        deployment.check_outputs(wanted, "the reference interpreter", measured.run)
        if options.pictures:
            measured.host_outputs = _host_c_outputs(deployment)
            deployment.check_outputs(measured.host_outputs, "the C code on this machine", measured.run)
    warnings = check_sizes(project, measured.sizes, predicted) if measured.sizes else []
    return _report(deployment, measured, warnings)


def _host_c_outputs(deployment: Deployment) -> bytes:
    """The same pictures through the portable C code of the network as it came, compiled for this machine."""
    graph = deployment.model.original
    project = export_c(graph, plan_for(graph, "", DeployOptions(prefer="memory")), deployment.project.folder / "host")
    return _host_outputs(build_host(project), project.folder / "run", deployment.inputs)[0]


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


def _write_outputs(project: CProject, run: EmulatedRun | None) -> list[str]:
    """One raw file per output, pictures one after the other."""
    if run is None:
        return []
    ends = project.manifest["outputs"]
    total = sum(end["bytes"] for end in ends)
    files, at = [], 0
    for i, end in enumerate(ends):
        path = project.folder / f"output{i}.bin"
        raw = run.output
        path.write_bytes(b"".join(raw[p + at : p + at + end["bytes"]] for p in range(0, len(raw), total)))
        files.append(str(path))
        at += end["bytes"]
    return files


def _pictures(deployment: Deployment, measured: Measured) -> dict[str, Any] | None:
    """How many pictures ran, and for how many bytes and class are those of the host's C code."""
    if not deployment.options.pictures or measured.run is None:
        return None
    size = sum(int(end["bytes"]) for end in deployment.project.manifest["outputs"])
    tables = [np.frombuffer(raw, np.int8).reshape(-1, size) for raw in (measured.run.output, measured.host_outputs)]
    return {
        "count": len(tables[0]),
        "equal_to_host_c": int((tables[0] == tables[1]).all(axis=1).sum()),
        "same_class_as_host_c": int((tables[0].argmax(axis=1) == tables[1].argmax(axis=1)).sum()),
    }


def _report(deployment: Deployment, measured: Measured, warnings: list[str]) -> dict[str, Any]:
    board, project, predicted = deployment.board, deployment.project, deployment.predicted
    sizes, run = measured.sizes, measured.run
    instructions = run.instructions if run and run.instructions else None
    latency = None
    if instructions and board.clock_hz:
        latency = microseconds(instructions, board.core, board.clock_hz)
    return {
        "target": board.name,
        "schedule": deployment.options.schedule,
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
        "shrink": deployment.model.to_dict()
        | {"arena_bytes_before": deployment.unshrunk_plan.arena_bytes, "arena_bytes_after": project.arena_bytes},
        "pictures": _pictures(deployment, measured),
        "outputs": _write_outputs(project, run),
        "layers": _layers(deployment.model.graph, measured),
        "warnings": warnings,
    }
