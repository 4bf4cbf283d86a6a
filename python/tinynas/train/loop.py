"""Training a supernet (or one network) to its end, resumable at any moment."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinynas.config.space import SpaceConfig
from tinynas.config.train import FREE_KEYS, TrainConfig
from tinynas.data.base import DataSet
from tinynas.errors import InputError
from tinynas.train.batches import Batch, BatchOrder, Workers, prepare
from tinynas.train.checkpoint import Checkpoint, copy_tensors, load, save
from tinynas.train.distributed import world
from tinynas.train.native import supernet_module
from tinynas.train.progress import ProgressCallback, TrainProgress
from tinynas.train.recipes import Phase, Recipe, Subspace, Teacher, learning_rate, phase_at, phase_rate, resolution_of
from tinynas.train.recorded import RecordedStep
from tinynas.train.seen import as_seen

_PROBED_STEPS = 6
_MANY = 1000
"""Steps, of a recipe laid out before their true number is known."""
_SMOOTHING = 0.05


def train_supernet(
    space: SpaceConfig,
    subspace: Subspace | None,
    data: DataSet,
    config: TrainConfig,
    out: Path,
    progress: ProgressCallback | None = None,
    init: Path | None = None,
) -> Path:
    """Trains a supernet, of one (resolution, width) subspace or with both elastic, and returns its checkpoint.

    It starts from the weights of `init`, a checkpoint of the same space or of a narrower one, if given: a longer
    training in several goes, or one that goes on to wider networks.

    The checkpoint is `out` (a .pt file), or `out`/supernet.pt. Where it exists and belongs to the same space, data and
    config, training continues from it, to the same result as without the interruption; InputError where it belongs to
    others.
    """
    check_data(space, data, [subspace[0]] if subspace else list(space.resolutions))
    path = out if out.suffix == ".pt" else out / "supernet.pt"
    space_json = space.model_dump_json()
    start = Checkpoint(
        space=space_json, config=config.model_dump(mode="json"), total_steps=0, subspace=subspace, data=data.fingerprint
    )
    net = supernet_module().Supernet(space_json, kernel_transforms=config.kernel_transforms, seed=config.seed)
    if init is not None:
        _start_from(init, net, start)
    Run(net, config, data, path).train_recipe(start, Recipe(space, subspace, config), progress)
    return path


def _start_from(init: Path, net: Any, start: Checkpoint) -> None:
    """The weights of `init`; its pictures and seconds count for the new run.

    Where the new space has wider networks, theirs begin with the channels of `init`: what its subnets compute stays.
    """
    earlier = load(init)
    before, now = (SpaceConfig.model_validate_json(each.space) for each in (earlier, start))
    if not now.widens(before):
        raise InputError(f"{init}: was trained for a space whose choices differ")
    weights = {name: value.detach().clone() for name, value in net.parameters()}
    for name, value in earlier.weights.items():
        weights[name][tuple(slice(size) for size in value.shape)] = value.float()
    copy_tensors(weights, dict(net.parameters()), init)
    start.pictures, start.seconds = earlier.pictures, earlier.seconds


def check_data(space: SpaceConfig, data: DataSet, resolutions: Iterable[int]) -> None:
    """InputError where the data do not fit the space."""
    if space.classes != len(data.classes):
        raise InputError(
            f"space {space.name}: expected {len(data.classes)} classes as {data.name} has, got {space.classes}"
        )
    if space.input_channels != data.channels:
        raise InputError(
            f"space {space.name}: expected {data.channels} input channels as {data.name} has, "
            f"got {space.input_channels}"
        )
    if max(resolutions) > data.max_resolution:
        raise InputError(
            f"{data.name} offers at most {data.max_resolution} pixels, got a resolution of {max(resolutions)}"
        )
    if len(data.train) < 2:
        raise InputError(f"{data.name}: expected at least 2 training pictures, got {len(data.train)}")


@dataclass
class _Smoothed:
    """Running means that the progress shows."""

    loss: float = 0.0
    accuracy: float = 0.0
    weight: float = 0.0

    def add(self, loss: float, accuracy: float) -> None:
        self.weight += _SMOOTHING * (1 - self.weight)
        self.loss += _SMOOTHING * (loss - self.loss)
        self.accuracy += _SMOOTHING * (accuracy - self.accuracy)


@dataclass
class _Steps:
    """What a run's steps are: subnets by (order, step), and either a teacher or a recipe's phases."""

    archs: Any
    phases: list[Phase] = field(default_factory=list)
    recipe: Recipe | None = None
    teacher: Any = None


class Run:
    """One training run: a network, its optimiser, and the checkpoint that holds both."""

    _recordable = True
    """Whether the step can be recorded (RecordedStep)."""

    def __init__(self, net: Any, config: TrainConfig, data: DataSet, path: Path) -> None:
        self._config = config
        self._data = data
        self._path = path
        self._net = net
        self._world = world()
        self._device = self._world.device if self._world.size > 1 else config.device
        self._order = BatchOrder(
            len(data.train), config.batch_size, config.seed, rank=self._world.rank, world=self._world.size
        )
        self._world.check_batch(self._order.batch_size)
        net.to(self._device)
        self._step = self._make_step()
        self._replays = False
        self._recorded: RecordedStep | None = None

    def _make_step(self) -> Any:
        return supernet_module().TrainStep(self._net, step_options(self._config))

    def train(
        self, start: Checkpoint, archs: Any, progress: ProgressCallback | None, teacher: Any = None
    ) -> Checkpoint:
        """From the file's state, or `start`, to the end.

        `archs(order, step)`: JSON of the step's subnets, the same for all steps; the first learns from labels.
        `teacher(pictures)`: logits to learn from instead.
        """
        self._replays = self._recordable and self._device.startswith("cuda") and self._world.size == 1
        state = self._start(start, archs, teacher)
        return self._steps(state, _Steps(archs, teacher=teacher), progress)

    def train_recipe(self, start: Checkpoint, recipe: Recipe, progress: ProgressCallback | None) -> Checkpoint:
        """As train(), phase by phase."""
        first = recipe.phases(_MANY)[0]  # what is timed when minutes are given; recipes of several phases have epochs
        state = self._start(start, lambda order, step: recipe.archs(first, self._place(step)), None)
        phases = recipe.phases(state.total_steps)

        def archs(_order: BatchOrder, step: int) -> list[str]:
            return recipe.archs(phase_at(phases, step), self._place(step))

        return self._steps(state, _Steps(archs, phases, recipe), progress)

    def _place(self, step: int) -> tuple[int, int, int]:
        """(seed, epoch, step within it): what a step's subnets are drawn by."""
        return (self._config.seed, *self._order.split(step))

    def _steps(self, state: Checkpoint, plan: _Steps, progress: ProgressCallback | None) -> Checkpoint:
        if state.done:
            return state
        began = last_saved = time.monotonic()
        spent = state.seconds
        first = state.step
        smoothed = _Smoothed()
        writer = self._writer()
        steps = range(state.step, state.total_steps)
        drawn: dict[int, list[str]] = {}

        def resolution_at(step: int) -> int:
            drawn[step] = plan.archs(self._order, step)
            return resolution_of(drawn[step][0])

        config = self._config
        workers = Workers(config.workers, config.worker_kind)
        for batch in prepare(self._data.train, self._order, steps, resolution_at, config.seed, workers):
            rate, teacher = self._enter(plan, batch.step, state.total_steps)
            losses = self._learn(batch, drawn.pop(batch.step), teacher, rate)
            smoothed.add(losses[0], losses[2] / len(batch.labels))
            now = time.monotonic()
            state.step = batch.step + 1
            state.pictures += len(batch.labels) * self._world.size
            state.seconds = spent + now - began
            report = self._report(state, smoothed, rate, (state.step - first) / (now - began))
            if progress is not None and self._world.is_first:
                progress(report)
            if writer is not None:
                _write_scalars(writer, report, losses)
            epoch_ends = (
                state.step % self._order.steps_per_epoch == 0 and now - last_saved > config.checkpoint_seconds / 4
            )
            if state.done or epoch_ends or now - last_saved > config.checkpoint_seconds:
                self._save(state)
                last_saved = time.monotonic()
        if writer is not None:
            writer.close()
        return state

    def _enter(self, plan: _Steps, step: int, total_steps: int) -> tuple[float, Any]:
        """(learning rate, teacher) of a step. Where a phase begins, its channels are sorted and its optimiser is new.

        A checkpoint is written after a step, before the next one's phase begins, so that a resumed run begins it too.
        """
        if plan.recipe is None:
            return learning_rate(self._config, step, total_steps), plan.teacher
        phase = phase_at(plan.phases, step)
        if phase.part.taught and plan.teacher is None:
            first_taught = next(each for each in plan.phases if each.part.taught)
            plan.teacher = self._teacher(plan.recipe, first_taught.first == step)
        if phase.first == step and step > 0:
            if phase.part.sort:
                self._step.sort_channels(phase.part.sort == "all")
            self._step.restart()
        return phase_rate(self._config, phase, step), plan.teacher if phase.part.taught else None

    def _teacher(self, recipe: Recipe, is_new: bool) -> Teacher:
        """The network as it stands, kept beside the checkpoint, or the one that was kept."""
        file = self._path.with_suffix(".teacher.pt")
        names, average = self._names(), self._step.average
        kept: dict[str, Any] | None = None
        if self._world.is_first:
            if is_new:
                values = average or [value.detach() for _, value in self._net.parameters()]
                weights = {name: value.cpu() for name, value in zip(names, values, strict=True)}
                save(Checkpoint(self._net.space, self._config.model_dump(mode="json"), 0, parameters=weights), file)
            kept = load(file).parameters
        kept = self._world.from_first(kept)
        net = supernet_module().Supernet(self._net.space, kernel_transforms=self._net.kernel_transforms)
        copy_tensors(kept or {}, dict(net.parameters()), file)
        return Teacher(recipe, net, self._device)

    def _start(self, start: Checkpoint, archs: Any, teacher: Any) -> Checkpoint:
        """The first process reads the file or begins; the others take over what it has."""
        if not self._world.is_first:
            state = self._world.from_first(start)
            self._take_over(state)
            return state
        state = self._resume(start) if self._path.exists() else self._begin(start, archs, teacher)
        return self._world.from_first(state)

    def _begin(self, start: Checkpoint, archs: Any, teacher: Any) -> Checkpoint:
        state = start
        state.total_steps = self._plan_steps(archs, teacher)
        self._save(state)
        return state

    def _plan_steps(self, archs: Any, teacher: Any) -> int:
        config = self._config
        if config.epochs is not None:
            return max(1, round(config.epochs * self._order.steps_per_epoch))
        assert config.minutes is not None
        return max(1, int(60 * config.minutes / self._seconds_per_step(archs, teacher)))

    def _seconds_per_step(self, archs: Any, teacher: Any) -> float:
        """Mean of a few steps at learning rate zero, whose traces are wiped out."""
        before = {name: value.detach().clone() for name, value in self._net.parameters()}
        sample = range(_PROBED_STEPS + 1)
        drawn = [archs(self._order, step) for step in sample]
        began = time.monotonic()
        workers = Workers(self._config.workers, self._config.worker_kind)
        resolutions = [resolution_of(subnets[0]) for subnets in drawn]
        for batch in prepare(self._data.train, self._order, sample, resolutions.__getitem__, 0, workers):
            if batch.step == 1:  # the first one warms up
                began = time.monotonic()
            self._learn(batch, drawn[batch.step], teacher, 0.0)
        seconds = (time.monotonic() - began) / _PROBED_STEPS
        copy_tensors(before, dict(self._net.parameters()), self._path)
        self._step, self._recorded = self._make_step(), None
        return seconds

    def _learn(self, batch: Batch, archs: list[str], teacher: Any, rate: float) -> tuple[float, float, int]:
        """A step: (label loss of the first subnet, mean loss of the others, correct of the first)."""
        pictures, labels = as_seen(batch, self._config, len(self._data.classes), self._device)
        if self._replays:
            if self._recorded is None:
                self._recorded = RecordedStep(self._step, archs, teacher, pictures, labels)
            losses = self._recorded(pictures, labels, rate)
        else:
            self._step.clear_gradients()
            logits = None if teacher is None else teacher(pictures)
            losses = self._step.accumulate(pictures, labels, archs, logits)
            self._world.average_gradients(self._net.parameters())
            self._step.apply(rate)
        if not math.isfinite(losses[0]):
            raise InputError(
                f"training diverged at step {batch.step}: the loss is {losses[0]}; lower the learning rate"
            )
        return losses

    def _report(self, state: Checkpoint, smoothed: _Smoothed, rate: float, steps_per_second: float) -> TrainProgress:
        return TrainProgress(
            step=state.step,
            total_steps=state.total_steps,
            epoch=state.step / self._order.steps_per_epoch,
            loss=smoothed.loss / smoothed.weight,
            accuracy=smoothed.accuracy / smoothed.weight,
            learning_rate=rate,
            pictures_per_second=steps_per_second * self._order.batch_size,
            seconds_left=(state.total_steps - state.step) / steps_per_second,
        )

    def _names(self) -> list[str]:
        return [name for name, _ in self._net.parameters()]

    def _save(self, state: Checkpoint) -> None:
        if not self._world.is_first:
            return
        state.parameters = {name: value.detach().cpu() for name, value in self._net.parameters()}
        state.momentum = {n: v.cpu() for n, v in zip(self._names(), self._step.momentum, strict=True)}
        state.average = {n: v.cpu() for n, v in zip(self._names(), self._step.average, strict=bool(self._step.average))}
        save(state, self._path)

    def _resume(self, start: Checkpoint) -> Checkpoint:
        state = load(self._path)
        for key in ("space", "subspace", "data", "arch"):
            if getattr(state, key) != getattr(start, key):
                raise InputError(
                    f"{self._path}: belongs to another run: expected {key} {getattr(start, key)}, "
                    f"got {getattr(state, key)}"
                )
        before = TrainConfig.model_validate(state.config).model_dump(
            mode="json"
        )  # a setting that is newer than the file
        changed = sorted(k for k, v in start.config.items() if before[k] != v and k not in FREE_KEYS)
        if changed:
            key = changed[0]
            raise InputError(
                f"{self._path}: was trained with {key} {before[key]}, got {start.config[key]}: give another place"
            )
        self._take_over(state)
        return state

    def _take_over(self, state: Checkpoint) -> None:
        copy_tensors(state.parameters, dict(self._net.parameters()), self._path)
        for kept, now in ((state.momentum, self._step.momentum), (state.average, self._step.average)):
            if kept:
                copy_tensors(kept, dict(zip(self._names(), now, strict=True)), self._path)

    def _writer(self) -> Any:
        if not self._config.tensorboard or not self._world.is_first:
            return None
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(self._path.with_suffix(".tensorboard")))


def step_options(config: TrainConfig) -> Any:
    """The C++ step's options."""
    native = supernet_module()
    options = native.TrainOptions()
    options.distillation = getattr(native.Distillation, config.distillation)
    kept = ("label_smoothing", "label_share", "momentum", "weight_decay", "clip_norm", "ema_decay", "mixed_precision")
    for key in kept:
        setattr(options, key, getattr(config, key))
    return options


def _write_scalars(writer: Any, report: TrainProgress, losses: tuple[float, float, int]) -> None:
    writer.add_scalar("loss/largest", losses[0], report.step)
    writer.add_scalar("loss/others", losses[1], report.step)
    writer.add_scalar("learning_rate", report.learning_rate, report.step)
    writer.add_scalar("pictures_per_second", report.pictures_per_second, report.step)
