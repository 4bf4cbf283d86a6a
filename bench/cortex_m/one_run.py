"""A generated project built for a core, and one seeded picture through it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinynas import _core
from tinynas.deploy.boards import MACHINES
from tinynas.deploy.emulate import EmulatedRun, run_qemu
from tinynas.deploy.firmware import FirmwareBuild, LinkedSizes, linked_sizes
from tinynas.deploy.pictures import check_equal, reference_outputs
from tinynas.export.cproject import CProject


def run_once(project: CProject, reference: _core.Graph, core: str, folder: Path) -> tuple[LinkedSizes, EmulatedRun]:
    """Sizes of the bare firmware and a run in the core's emulator, below `folder`.

    CheckError when the output is not the reference interpreter's of the graph `reference`.
    """
    build, machine = FirmwareBuild(project, core), MACHINES[core]
    sizes = linked_sizes(build.link("bare", machine.memory, "board_bare.c"))
    size = sum(end["bytes"] for end in project.manifest["inputs"])
    picture = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes()
    run = run_qemu(build.link("emulator", machine.memory, "board_emulator.c"), machine, picture, folder / "run")
    check_equal(run.output, reference_outputs(reference, picture), len(run.output), "the reference interpreter")
    return sizes, run
