"""Measures what our engine takes beside a network and writes it into the targets' files.

Firmware of sample networks is linked for every board: SRAM is what lies outside the arena (start-up, runtime, row
counters) with the stack that every link reserves; Flash is all that is not weights (vectors, start-up, runtime, the
network's file, the kernels it uses). The largest of the networks stands.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tinynas import _core
from tinynas.config.loader import configs_dir
from tinynas.deploy.boards import find_board
from tinynas.deploy.firmware import STACK_BYTES, FirmwareBuild, board_link, linked_sizes
from tinynas.deploy.sample_networks import deep_network, small_network, varied_network
from tinynas.export.cproject import export_c

_BLOCK = re.compile(r"^  tinynas:.*\n    sram_bytes: .*\n    flash_bytes: .*\n", re.MULTILINE)


def sample_graphs() -> list[_core.Graph]:
    """A small, a wide and a deep network of inverted bottlenecks; all fit every board."""
    return [small_network(5), varied_network(0), deep_network()]


def measure(target: str, folder: Path) -> tuple[int, int]:
    """Bytes of SRAM and Flash that our engine takes on a board beside arena and weights."""
    board = find_board(target)
    sram = flash = 0
    for number, graph in enumerate(sample_graphs()):
        options = _core.ScheduleOptions(prefer=_core.Prefer.speed, core=board.core)
        plan = _core.make_oracle("streaming", options).plan(graph)
        project = export_c(graph, plan, folder / str(number), core=board.core, prefer="speed")
        sizes = linked_sizes(board_link(FirmwareBuild(project, board.core, folder / "engine"), board))
        sram, flash = max(sram, sizes.other + STACK_BYTES), max(flash, sizes.code)
    return sram, flash


def rewrite(text: str, sram: int, flash: int) -> str:
    """A target's YAML with other figures for our engine, its comments kept."""
    block = (
        "  tinynas:  # with 1 kB of stack; written by python -m tinynas.deploy.measure_overhead\n"
        f"    sram_bytes: {sram}\n    flash_bytes: {flash}\n"
    )
    changed, count = _BLOCK.subn(block, text)
    assert count == 1, "expected one block `tinynas:` with sram_bytes and flash_bytes"
    return changed


def main() -> None:
    """Measures every board and writes its file."""
    for path in sorted(configs_dir("targets").glob("*.yaml")):
        with tempfile.TemporaryDirectory() as folder:
            sram, flash = measure(path.stem, Path(folder))
        path.write_text(rewrite(path.read_text(), sram, flash))
        print(f"{path.stem}: {sram:,} B SRAM, {flash:,} B Flash", flush=True)


if __name__ == "__main__":
    main()
