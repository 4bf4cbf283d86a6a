"""Archs as arrays: scores from tables are the oracle's."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

_core: Any = pytest.importorskip("tinynas._core")

from tinynas.config.space import load_space  # noqa: E402
from tinynas.errors import InputError  # noqa: E402


def arrays_of(archs: list[Any]) -> dict[str, Any]:
    values = [json.loads(arch.to_json()) for arch in archs]
    return {
        "resolutions": np.array([value["resolution"] for value in values]),
        "widths": np.array([value["width"] for value in values]),
        "depths": np.array([arch.depths for arch in archs]),
        "kernels": np.array([arch.kernels for arch in archs]),
        "expansions": np.array([arch.expansions for arch in archs]),
    }


def some_archs(space: Any, count: int) -> list[Any]:
    rng = _core.Rng(3)
    return [
        _core.sample(space, space.resolutions[i % len(space.resolutions)], space.widths[i % len(space.widths)], rng)
        for i in range(count)
    ]


def test_arrays_score_like_archs() -> None:
    space = load_space("mcunet").to_core()
    archs = some_archs(space, 60)
    arrays = arrays_of(archs)
    engine = _core.make_oracle("tinyengine")
    one_by_one = [_core.score(space, engine, arch) for arch in archs]
    together = _core.score_arrays(space, engine, **arrays, threads=2)
    assert together["sram_bytes"].tolist() == [score.sram_bytes for score in one_by_one]
    assert together["macs"].tolist() == [score.macs for score in one_by_one]
    streaming = _core.make_oracle("streaming", _core.ScheduleOptions(prefer=_core.Prefer.speed))
    exact = np.array([_core.score(space, streaming, arch).sram_bytes for arch in archs])
    partition = _core.score_arrays(space, streaming, **arrays)["sram_bytes"]
    assert (partition <= exact).all()
    assert (partition >= 0.9 * exact).all()


def test_bad_arrays_are_refused() -> None:
    space = load_space("scenes").to_core()
    arrays = arrays_of(some_archs(space, 4))
    oracle = _core.make_oracle("streaming")
    with pytest.raises(InputError, match="expected resolutions"):
        _core.score_arrays(space, oracle, **(arrays | {"depths": arrays["depths"][:, :-1]}))
    with pytest.raises(InputError, match="row 0"):
        _core.score_arrays(space, oracle, **(arrays | {"kernels": arrays["kernels"] + 1}))
