"""Networks of their own: a baseline trained from nothing, and a subnet trained on after the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynas.config.space import SpaceConfig
from tinynas.config.train import TrainConfig
from tinynas.data.base import DataSet, Split
from tinynas.train.checkpoint import Checkpoint, copy_tensors, load
from tinynas.train.evaluator import ArchJson, Pictures, SupernetEvaluator, accuracy_of, arch_text, measure
from tinynas.train.loop import Run, check_data
from tinynas.train.native import supernet_module
from tinynas.train.progress import ProgressCallback

if TYPE_CHECKING:
    import tinynas._core as _core


@dataclass
class TrainedNet:
    """A trained network: its arch in `space`, and its weights as a network over the space of that arch alone."""

    space: str
    arch: str
    alone: str
    """The arch as a point of its own space."""
    net: Any
    data: DataSet
    calibration: int
    device: str = "cpu"

    def _statistics(self) -> Any:
        return measure(self.net, self.alone, Pictures(self.data.train, self.calibration, 0, self.device))

    def accuracy(self, split: Split | None = None) -> float:
        """Fraction of the split (default: validation) that is classified correctly, in float."""
        pictures = Pictures(split or self.data.val, None, 0, self.device)
        return accuracy_of(self.net, self.alone, self._statistics(), pictures)

    def extract(self) -> _core.Graph:
        """The float graph, named as build_graph(space, arch)."""
        import tinynas._core as _core

        text = supernet_module().fill_graph(self.space, self.arch, self.net, self._statistics())
        return _core.Graph.from_json(text)


def train_alone(
    space: SpaceConfig,
    arch: ArchJson,
    data: DataSet,
    config: TrainConfig,
    out: Path,
    progress: ProgressCallback | None = None,
) -> TrainedNet:
    """Trains one arch from nothing with the label loss; resumable through `out` (a .pt file) as train_supernet is."""
    text = arch_text(arch)
    alone_space, alone = supernet_module().space_of_arch(space.model_dump_json(), text)
    net = supernet_module().Supernet(alone_space, seed=config.seed)
    check_data(space, data, [_resolution(text)])
    return _train(_Job(space.model_dump_json(), text, alone_space, alone, net), data, config, out, progress)


def finetune(
    evaluator: SupernetEvaluator,
    arch: ArchJson,
    data: DataSet,
    config: TrainConfig,
    out: Path,
    progress: ProgressCallback | None = None,
) -> TrainedNet:
    """Trains a subnet on from the supernet's weights, for `finetune_epochs`, distilled from the largest subnet of its
    resolution unless it learns from labels alone; resumable through `out` (a .pt file)."""
    native = supernet_module()
    text = arch_text(arch)
    alone_space, alone = native.space_of_arch(evaluator.space_json, text)
    net = native.extract_net(evaluator.net, text)
    config = config.model_copy(
        update={
            "epochs": config.finetune_epochs,
            "minutes": None,
            "learning_rate": config.finetune_learning_rate,
            "label_share": config.finetune_label_share,
            "ema_decay": 0.0,
        }
    )
    teacher = None if config.label_share == 1 else _largest_of(evaluator, _resolution(text))
    return _train(_Job(evaluator.space_json, text, alone_space, alone, net), data, config, out, progress, teacher)


def _largest_of(evaluator: SupernetEvaluator, resolution: int) -> Callable[[Any], Any]:
    """Logits of the largest subnet of a resolution."""
    subspace = evaluator.subspace
    archs = supernet_module().sandwich_archs(evaluator.space_json, resolution, subspace and subspace[1], 0, (0, 0, 0))
    statistics = evaluator.statistics(archs[0])
    return lambda pictures: evaluator.net.logits(pictures, archs[0], statistics)


@dataclass
class _Job:
    space: str
    arch: str
    alone_space: str
    alone: str
    net: Any


def _resolution(arch: str) -> int:
    import json

    return int(json.loads(arch)["resolution"])


def _train(
    job: _Job,
    data: DataSet,
    config: TrainConfig,
    out: Path,
    progress: ProgressCallback | None,
    teacher: Any = None,
) -> TrainedNet:
    start = Checkpoint(
        space=job.alone_space,
        config=config.model_dump(mode="json"),
        total_steps=0,
        data=data.fingerprint,
        arch=job.arch,
    )
    trained = TrainedNet(job.space, job.arch, job.alone, job.net, data, config.calibration_pictures, config.device)
    if config.epochs == 0:
        return trained
    Run(job.net, config, data, out).train(start, lambda _order, _step: [job.alone], progress, teacher)
    state = load(out)
    copy_tensors(state.weights, dict(job.net.parameters()), out)
    return trained
