"""What a deployment is asked for, and the plan that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinynas import _core
from tinynas.errors import InputError
from tinynas.oracle import ENGINE_SCHEDULES, check_words, schedule_options

WHOLE_TENSORS = ("layerwise", "tinyengine")
"""Schedules of whole tensors alone."""


@dataclass(frozen=True)
class DeployOptions:
    """What `deploy` is asked for. `input_files`: one per input, the raw tensors of its pictures."""

    schedule: str = "streaming"
    prefer: str = "speed"
    image: str | None = None
    """streamed or stored; None: streamed where the schedule streams."""
    shrink: bool = True
    """Leave out provably constant channels; layer checks always run on the network as it came."""
    run: bool = False
    check_layers: bool = False
    input_files: list[Path] = field(default_factory=list)
    pictures: bytes = b""
    """Raw pictures instead of `input_files`; their outputs are compared with those of the C code on this machine."""
    seed: int = 1


def plan_for(graph: _core.Graph, core: str, options: DeployOptions, sram_bytes: int = 0) -> _core.Plan:
    """The plan that the options ask for; InputError for an unknown schedule or one that no engine here executes.

    sram_bytes: what there is for the arena, for the schedule `auto`; 0: any.
    """
    usual = "stored" if options.schedule in WHOLE_TENSORS else "streamed"
    image = usual if options.image is None else options.image
    check_words(options.prefer, image)
    schedule = schedule_options(
        options.schedule,
        sram_bytes,
        image_streamed=image == "streamed",
        prefer=getattr(_core.Prefer, options.prefer),
        core=core,
    )
    if options.schedule in WHOLE_TENSORS:
        return _core.whole_tensor_plan(graph, options.schedule, schedule)
    plan = _core.make_oracle(options.schedule, schedule).plan(graph)
    if plan is None:
        known = ", ".join(ENGINE_SCHEDULES)
        raise InputError(f"--schedule {options.schedule}: the engine cannot run it, only {known}")
    return plan
