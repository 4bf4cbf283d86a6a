"""Whether a network fits a board, before anything is compiled and after the link."""

from __future__ import annotations

from tinynas import _core
from tinynas.config.loader import configs_dir
from tinynas.config.target import load_target
from tinynas.deploy.boards import Board
from tinynas.deploy.code_size import PredictedFlash
from tinynas.deploy.firmware import STACK_BYTES, LinkedSizes
from tinynas.errors import CheckError, InfeasibleError
from tinynas.export.cproject import CProject

MOST_OTHER_RAM = 512
"""RAM outside arena and stack that a firmware may take, bytes."""
FLASH_TOLERANCE = 0.01


def _operator_name(graph: _core.Graph, index: int) -> str:
    if not 0 <= index < len(graph.operators):
        return "?"
    operator = graph.operators[index]
    return f"{index} ({operator.kind}{' ' + repr(operator.name) if operator.name else ''})"


def smallest_board(ram: int, flash: int) -> str:
    """A sentence naming the board of configs/targets with the least SRAM that has as many bytes."""
    boards = [load_target(path.stem) for path in sorted(configs_dir("targets").glob("*.yaml"))]
    fitting = [b for b in boards if b.sram_bytes >= ram and b.flash_bytes >= flash]
    if not fitting:
        return "no board of configs/targets is large enough"
    best = min(fitting, key=lambda b: (b.sram_bytes, b.flash_bytes))
    return f"the smallest board that would do is {best.name} ({best.sram_bytes:,} B SRAM, {best.flash_bytes:,} B Flash)"


def arena_limit(board: Board) -> int:
    """Bytes that a board leaves for the arena; 0: no limit."""
    return max(1, board.memory.ram_bytes - STACK_BYTES - MOST_OTHER_RAM) if board.memory else 0


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
                f"{smallest_board(ram, flash)}"
            )


def check_sizes(project: CProject, sizes: LinkedSizes, predicted: PredictedFlash) -> list[str]:
    """Warnings; CheckError when SRAM differs by a byte or, from the table's own compiler, Flash by more than 1 %."""
    if sizes.arena != project.arena_bytes:
        raise CheckError(f"arena: the linker has {sizes.arena} B, the plan {project.arena_bytes} B")
    if sizes.other > MOST_OTHER_RAM:
        raise CheckError(f"RAM outside the arena: {sizes.other} B, at most {MOST_OTHER_RAM} B are promised")
    difference = abs(sizes.flash - predicted.total) / predicted.total
    if difference <= FLASH_TOLERANCE:
        return []
    text = f"Flash: the linker has {sizes.flash} B, predicted were {predicted.total} B ({100 * difference:.1f} % off)"
    if predicted.same_compiler:
        raise CheckError(text)
    return [text + "; the table of code sizes was measured with another compiler"]
