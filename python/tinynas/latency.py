"""How long our engine takes on a core: the fitted models of configs/latency, for oracles and for measured counts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tinynas.config.loader import configs_dir
from tinynas.errors import InputError

if TYPE_CHECKING:
    import tinynas._core as _core


@cache
def latency_model(core: str) -> _core.LatencyModel | None:
    """The model of a core ("cortex-m7"); None where nothing was measured."""
    import tinynas._core as _core

    path = configs_dir("latency") / f"{core}.json"
    if not path.is_file():
        return None
    try:
        return _core.LatencyModel.from_json(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def measured_cores() -> list[str]:
    """Cores that have a model."""
    return sorted(path.stem for path in configs_dir("latency").glob("*.json"))


def kernels_of(core: str, clock_hz: float = 0.0) -> dict[str, Any]:
    """Arguments of ScheduleOptions for the kernels of a core and, where it has a model, how long they take.

    Without a clock costs have instructions, but no latency. "": portable kernels.
    """
    return {"core": core, "latency": latency_model(core) if core else None, "clock_hz": clock_hz}


def microseconds(instructions: float, core: str, clock_hz: float) -> float | None:
    """Time that as many instructions take on a core at a clock; None for a core without a model."""
    model = latency_model(core)
    return None if model is None else 1e6 * instructions * model.cycles_per_instruction / clock_hz
