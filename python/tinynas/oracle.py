"""The conformance suite of oracles: what each must hold to, built in, plugged in or written in Python."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core

LIMITED_SCHEDULES = ("auto", "streaming", "streaming+recompute")
"""Those whose answer depends on the SRAM there is; `streaming` takes less of it where too little is there for speed."""
ENGINE_SCHEDULES = ("streaming", "layerwise", "tinyengine", "auto")
"""Those that our engine runs."""
BUNDLED_SPACES = ("scenes", "cifar")


def check_words(prefer: str, image: str) -> None:
    """InputError unless these are words that `--prefer` and `--image` know."""
    for option, word, known in (("prefer", prefer, ("memory", "speed")), ("image", image, ("streamed", "stored"))):
        if word not in known:
            raise InputError(f"--{option}: expected {' or '.join(known)}, got {word!r}")


def schedule_options(schedule: str, sram_bytes: int | None, **options: Any) -> _core.ScheduleOptions:
    """ScheduleOptions with the SRAM for the arena, where the schedule asks for it; at least a byte then."""
    import tinynas._core as _core

    limit = max(1, sram_bytes) if sram_bytes and schedule in LIMITED_SCHEDULES else 0
    return _core.ScheduleOptions(sram_bytes=limit, **options)


def sample_graphs(count: int = 6, seed: int = 1) -> list[_core.Graph]:
    """Random networks of the bundled spaces, deterministic by seed."""
    import tinynas._core as _core
    from tinynas.config.space import load_space

    graphs: list[_core.Graph] = []
    for name in BUNDLED_SPACES:
        space = load_space(name).to_core()
        rng = _core.Rng(seed)
        for index in range((count + 1) // len(BUNDLED_SPACES)):
            resolution = space.resolutions[index % len(space.resolutions)]
            width = space.widths[index % len(space.widths)]
            graphs.append(_core.build_graph(space, _core.sample(space, resolution, width, rng)))
    return graphs


def find_faults(oracle: _core.Oracle, graphs: Iterable[_core.Graph] | None = None, core: str = "") -> list[str]:
    """What is wrong with an oracle, as messages; an empty list when it conforms.

    Answers depend on the graph alone, also from several threads; sizes are not negative and add up; the work is the
    graph's, or more where `chosen` says what is recomputed; the bound is not above the figure; every plan passes the
    checker (scratch of `core`) and takes what the cost says.
    """
    faults: list[str] = []
    if not oracle.name:
        faults.append("the oracle has no name")
    for number, graph in enumerate(sample_graphs() if graphs is None else graphs):
        place = f"graph {number} ({graph.name})"
        faults += [f"{place}: {fault}" for fault in _faults_of_cost(oracle, graph)]
        faults += [f"{place}: {fault}" for fault in _faults_of_plan(oracle, graph, core)]
    return faults


def _faults_of_cost(oracle: _core.Oracle, graph: _core.Graph) -> list[str]:
    faults = []
    cost = oracle.cost(graph)
    first = cost.to_dict()
    with ThreadPoolExecutor(2) as threads:
        again = [answer.to_dict() for answer in threads.map(oracle.cost, [graph] * 4)]
    if any(answer != first for answer in again):
        faults.append("the same graph asked twice gives different costs")
    negative = [key for key, value in first.items() if isinstance(value, int) and value < 0 and key != "peak_operator"]
    if negative:
        faults.append(f"negative: {', '.join(negative)}")
    if cost.sram_bytes != cost.activation_bytes + cost.scratch_bytes:
        faults.append("sram_bytes is not activation_bytes + scratch_bytes")
    if cost.macs < graph.macs() or (cost.macs > graph.macs() and not cost.chosen):
        faults.append("the MACs are not the graph's, nor more that `chosen` explains")
    if cost.lower_bound_bytes > cost.sram_bytes:
        faults.append("lower_bound_bytes is above sram_bytes")
    if cost.peak_operator >= len(graph.operators):
        faults.append("peak_operator is no operator of the graph")
    return faults


def _faults_of_plan(oracle: _core.Oracle, graph: _core.Graph, core: str) -> list[str]:
    import tinynas._core as _core

    plan = oracle.plan(graph)
    if plan is None:
        return []
    faults = [f"plan: {problem}" for problem in _core.check_plan(graph, plan, core)]
    if plan.arena_bytes != oracle.cost(graph).sram_bytes:
        faults.append("the plan's arena is not the cost's sram_bytes")
    return faults
