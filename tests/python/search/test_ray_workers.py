"""Two Ray workers on this machine, some of which die."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinynas.errors import CheckError
from tinynas.search.measure import Measurements
from tinynas.search.ray_workers import RayEvaluator

ray = pytest.importorskip("ray")


class Mortal:
    """Accuracy = value / 100. Value 7 kills the first worker that gets it, value 13 every one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def accuracy(self, arch: dict[str, Any]) -> float:
        value = int(arch["value"])
        mark = self._folder / f"died-{value}"
        if value == 13 or (value == 7 and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        (self._folder / f"measured-{value}-{os.getpid()}").touch()
        return value / 100


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RayEvaluator, Path]]:
    folder = tmp_path_factory.mktemp("workers")
    try:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    except Exception as error:  # Ray gives its own processes a fixed time to start
        pytest.skip(f"Ray did not start here: {error}")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield RayEvaluator(lambda: Mortal(folder), 2), folder
    ray.shutdown()


def test_a_worker_that_dies_costs_only_its_candidate(workers: tuple[RayEvaluator, Path], tmp_path: Path) -> None:
    evaluator, folder = workers
    archs = [{"value": value} for value in range(12)]
    found = Measurements(tmp_path / "measured.jsonl", evaluator).accuracies(archs)
    assert found == [value / 100 for value in range(12)]
    assert (folder / "died-7").exists()
    marks = [path.name.split("-") for path in folder.glob("measured-*")]
    assert sorted(int(value) for _, value, _ in marks) == list(range(12))  # nothing was measured twice
    assert len({pid for *_, pid in marks}) >= 2


def test_a_candidate_that_brings_down_every_worker_is_named(workers: tuple[RayEvaluator, Path]) -> None:
    with pytest.raises(CheckError, match=r"3 workers died while measuring \{'value': 13\}"):
        list(workers[0].each([{"value": 13}]))
