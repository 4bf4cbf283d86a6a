"""Networks of their own: a baseline trained from nothing, and a subnet trained on after the search."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynas.config.space import SpaceConfig
from tinynas.config.train import TrainConfig
from tinynas.data.base import DataSet, Split
from tinynas.errors import InputError
from tinynas.train.checkpoint import Checkpoint, copy_tensors, load, save
from tinynas.train.evaluator import ArchJson, Pictures, SupernetEvaluator, accuracy_of, arch_text
from tinynas.train.loop import Run, check_data
from tinynas.train.native import supernet_module
from tinynas.train.progress import ProgressCallback
from tinynas.train.seen import seen_pictures

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
    config: TrainConfig

    @cached_property
    def _calibrated(self) -> dict[str, tuple[float, Any]]:
        """Accuracy on the validation split, and BatchNorm statistics, by the training pictures these are measured on.

        What the weights fit are pictures as training sees them, up to two points better after strong augmentation; but
        noise that was added to sounds, say, shifts the statistics of clean ones.
        """
        resolution, count = _resolution(self.arch), self.config.calibration_pictures
        plain = Pictures(self.data.train, count, 0, self.config.device).full_batches(resolution)
        seen = seen_pictures(self.data, self.config, resolution, count)
        val = Pictures(self.data.val, None, 0, self.config.device)
        found = {}
        for name, pictures in (("plain", plain), ("seen", seen)):
            statistics = supernet_module().recalibrate(self.net, self.alone, pictures)
            found[name] = self._accuracy(statistics, val), statistics
        return found

    @property
    def val_by_statistics(self) -> dict[str, float]:
        """Accuracy on the validation split with statistics of training pictures as they are (`plain`), and as training
        sees them (`seen`). The network has those with which it does better."""
        return {name: accuracy for name, (accuracy, _) in self._calibrated.items()}

    def _accuracy(self, statistics: Any, pictures: Pictures) -> float:
        return accuracy_of(self.net, self.alone, statistics, pictures)

    def accuracy(self, split: Split | None = None) -> float:
        """Fraction of the split (default: validation) that is classified correctly, in float."""
        on_val, statistics = self._best
        return on_val if split is None else self._accuracy(statistics, Pictures(split, None, 0, self.config.device))

    @property
    def _best(self) -> tuple[float, Any]:
        return max(self._calibrated.values(), key=itemgetter(0))

    def extract(self) -> _core.Graph:
        """The float graph, named as build_graph(space, arch)."""
        import tinynas._core as _core

        text = supernet_module().fill_graph(self.space, self.arch, self.net, self._best[1])
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
    teacher: Path | None = None,
    init: Sequence[Path] = (),
) -> TrainedNet:
    """Trains a subnet on for `finetune_epochs`, from the supernet's weights, or from where an earlier finetuning of the
    same arch ended (`init`): from the mean of several ones' weights (Wortsman et al., Model soups, 2022).

    Distilled from `teacher` (default: the largest subnet of its resolution) unless it learns from labels alone.
    `teacher` and `init`: a run, or its finetune.pt.

    Resumable through `out` (a .pt file). InputError where the teacher is not a network for these pictures, or `init` is
    not of this arch.
    """
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
            "ema_decay": config.finetune_ema_decay,
        }
    )
    logits = None
    if config.label_share < 1 and config.epochs != 0:
        resolution = _resolution(text)
        pictures = seen_pictures(data, config, resolution, config.calibration_pictures)
        if teacher is None:
            taught_by = _largest_of(evaluator, resolution, pictures)
        else:
            taught_by = _network_of(teacher, data, resolution, config.device, pictures)
        logits = taught_by.logits(config.mixed_precision)
    job = _Job(evaluator.space_json, text, alone_space, alone, net)
    if init:
        _start_from(init, job)
    return _train(job, data, config, out, progress, logits)


@dataclass
class _FrozenNet:
    """A network over a space of its own, where a GPU's library compiles kernels for its shapes alone."""

    net: Any
    arch: str
    statistics: Any

    def logits(self, mixed_precision: bool) -> Callable[[Any], Any]:
        """Of pictures [n, R, R, C] uint8: [n, classes]."""
        import torch

        def logits(pictures: Any) -> Any:
            with torch.autocast("cuda", torch.bfloat16, enabled=mixed_precision and pictures.is_cuda):
                return self.net.logits(pictures, self.arch, self.statistics).float()

        return logits


def _largest_of(evaluator: SupernetEvaluator, resolution: int, pictures: list[Any]) -> _FrozenNet:
    """The supernet's largest subnet of a resolution, its statistics measured on `pictures`."""
    native = supernet_module()
    subspace = evaluator.subspace
    archs = native.sandwich_archs(evaluator.space_json, resolution, subspace and subspace[1], 0, (0, 0, 0))
    _, alone = native.space_of_arch(evaluator.space_json, archs[0])
    net = native.extract_net(evaluator.net, archs[0])
    return _FrozenNet(net, alone, native.recalibrate(net, alone, pictures))


FINETUNED = "finetune.pt"
"""A run's own network, in its folder."""


def load_finetuned(run: Path) -> tuple[Path, Checkpoint]:
    """The file where a run's finetuning ended, in its folder or the file itself, and what it holds.

    InputError where this is no finetuned network.
    """
    file = run / FINETUNED if run.is_dir() else run
    state = load(file)
    if state.arch is None:
        raise InputError(f"{file}: expected a finetuned network (a run's finetune.pt), got a supernet")
    return file, state


def _network_of(run: Path, data: DataSet, resolution: int, device: str, pictures: list[Any]) -> _FrozenNet:
    """The network that a run's finetuning ended with, its statistics measured on `pictures`."""
    native = supernet_module()
    file, state = load_finetuned(run)
    space = SpaceConfig.model_validate_json(state.space)
    check_data(space, data, space.resolutions)
    if space.resolutions[0] != resolution:
        raise InputError(f"{file}: expected a teacher that reads {resolution} pixels, got {space.resolutions[0]}")
    net = native.Supernet(state.space)
    copy_tensors(state.weights, dict(net.parameters()), file)
    net.to(device)
    arch = native.sandwich_archs(state.space, None, None, 0, (0, 0, 0))[0]
    return _FrozenNet(net, arch, native.recalibrate(net, arch, pictures))


@dataclass
class _Job:
    space: str
    arch: str
    alone_space: str
    alone: str
    net: Any
    pictures: int = 0
    seconds: float = 0.0
    """Of earlier trainings that this one goes on from."""


def _resolution(arch: str) -> int:
    return int(json.loads(arch)["resolution"])


def _start_from(runs: Sequence[Path], job: _Job) -> None:
    """The mean of earlier finetunings' weights; the most pictures and seconds of any count for the new one."""
    target = dict(job.net.parameters())
    total: dict[str, Any] = {}
    for file, state in map(load_finetuned, runs):
        if json.loads(state.arch or "") != json.loads(job.arch):
            raise InputError(f"{file}: expected a network of the arch {job.arch}, got {state.arch}")
        copy_tensors(state.weights, target, file)
        for name, value in target.items():
            total[name] = total.get(name, 0) + value.detach() / len(runs)
        job.pictures, job.seconds = max(job.pictures, state.pictures), max(job.seconds, state.seconds)
    copy_tensors(total, target, runs[0])


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
        pictures=job.pictures,
        seconds=job.seconds,
    )
    trained = TrainedNet(job.space, job.arch, job.alone, job.net, data, config)
    if config.epochs == 0:
        start.parameters = {name: value.detach().cpu() for name, value in job.net.parameters()}
        save(start, out)
        return trained
    Run(job.net, config, data, out).train(start, lambda _order, _step: [job.alone], progress, teacher)
    copy_tensors(load(out).weights, dict(job.net.parameters()), out)
    return trained
