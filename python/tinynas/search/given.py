"""A given architecture in the place of a search: its costs under the budget, its accuracy through the supernet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tinynas.errors import InfeasibleError, InputError
from tinynas.search.evolve import Candidate, Found, Problem, entry_of
from tinynas.search.explore import budget_text
from tinynas.search.run_dir import read_json

if TYPE_CHECKING:
    import tinynas._core as _core


def read_arch(run: Path) -> _core.Arch:
    """The arch of a run's folder, of a published model's, or of an arch.json. InputError names the file."""
    import tinynas._core as _core

    file = run / "arch.json" if run.is_dir() else run
    value = read_json(file)
    if not isinstance(value, dict) or "arch" not in value:
        raise InputError(f'{file}: expected {{"space": ..., "arch": ...}} as a search writes it')
    try:
        return _core.Arch.from_json(json.dumps(value["arch"]))
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def given(run: Path, problem: Problem) -> Found:
    """The network of `run` as the winner.

    InputError where it is none of the problem's space, InfeasibleError where it does not fit the limits.
    """
    import tinynas._core as _core

    arch = read_arch(run)
    if not problem.space.contains(arch):
        formats = ", ".join(problem.space.formats)
        raise InputError(
            f"{run}: expected a network of the space {problem.space.name}, blocks in {formats}, got {arch.to_json()}"
        )
    score = _core.score(problem.space, problem.oracle, arch)
    if not _core.fits(score, problem.limits):
        raise InfeasibleError(
            f"the network of {run} does not fit the budget ({budget_text(problem.limits)}): it takes "
            f"{score.sram_bytes:,} B SRAM, {score.flash_bytes:,} B Flash, {score.macs:,} MACs"
        )
    (accuracy,) = problem.measurements.accuracies([json.loads(arch.to_json())])
    winner = entry_of(Candidate(arch, score), accuracy)
    return Found(winner, {}, [winner])
