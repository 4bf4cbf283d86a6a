"""What a search was asked to do, resolved from the command line and the configs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.config.search import Budget, SearchConfig
from tinynas.config.space import SpaceConfig
from tinynas.config.target import TargetConfig
from tinynas.config.train import TrainConfig
from tinynas.search.bits import Bits


@dataclass(frozen=True)
class SearchSettings:
    """Everything that decides a search's result, and where it is written."""

    run: Path
    """Folder of the run, runs/<name>."""
    data: str
    """Bundled data set's name or the user's folder."""
    space: SpaceConfig
    budget: Budget
    schedule: str
    prefer: str
    """speed or memory, as of `deploy`."""
    image_streamed: bool
    train: TrainConfig
    search: SearchConfig
    seed: int
    target: TargetConfig | None = None
    supernet: Path | None = None
    """A trained checkpoint to search in, instead of one trained (or found) under `cache`."""
    teacher: Path | None = None
    """A run (or its finetune.pt) whose network teaches the winner, instead of the supernet's largest."""
    init: tuple[Path, ...] = ()
    """Runs of the same winner, from the mean of whose finetuned weights the finetuning starts."""
    arch: Path | None = None
    """A run, or a published model, whose network is the winner without a search."""
    hold_out: tuple[str, ...] = ()
    """Spoken digits: speakers kept for the test."""
    device: str = "cpu"
    workers: int = 1
    """Ray workers that measure candidates; 1: this process does. Does not change results."""
    plugin: Path | None = None
    """A shared library that is the oracle, instead of the schedule's."""
    bits: Bits = Bits.eight

    @property
    def timed(self) -> bool:
        """Whether candidates' latency counts: then the oracle is that of the target's core."""
        return self.budget.latency_us is not None or "latency" in self.search.objectives

    @property
    def cache(self) -> Path:
        """Where drawn data sets and trained supernets are kept for all runs beside this one."""
        return self.run.parent / ".cache"

    def as_json(self) -> dict[str, Any]:
        """The resolved config, as written into the run's folder."""
        return {
            "data": self.data,
            "hold_out": list(self.hold_out),
            "space": self.space.model_dump(mode="json"),
            "budget": self.budget.model_dump(mode="json"),
            "target": self.target.model_dump(mode="json") if self.target else None,
            "schedule": self.schedule,
            "prefer": self.prefer,
            "oracle": str(self.plugin) if self.plugin else None,
            "image": "streamed" if self.image_streamed else "stored",
            "train": self.train.model_dump(mode="json"),
            "search": self.search.model_dump(mode="json"),
            "seed": self.seed,
            "bits": self.bits.value,
            "supernet": str(self.supernet) if self.supernet else None,
            "teacher": str(self.teacher) if self.teacher else None,
            "arch": str(self.arch) if self.arch else None,
            "init": [str(run) for run in self.init],
        }


def content_key(*parts: Any) -> str:
    """Short hash of JSON values: the name under which a result that depends on nothing else is kept."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
