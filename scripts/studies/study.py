"""What the studies share: data, space, a trained supernet, networks trained alone, and results kept as they come.

Every study takes --data, --epochs and the rest as options, writes below --out, and goes on where it was stopped. The
same command started again while it runs trains networks beside the first (Study.accuracies_alone).
"""

from __future__ import annotations

import fcntl
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import matplotlib.pyplot as plt
import numpy as np
import tinynas._core as _core
import typer
from matplotlib.figure import Figure

from tinynas.cli.output import log, reports_errors, table
from tinynas.config import find_config, load_yaml
from tinynas.config.search import SearchConfig
from tinynas.config.space import SpaceConfig, load_space
from tinynas.config.train import FREE_KEYS, TrainConfig, load_train
from tinynas.data.base import Split
from tinynas.data.cache import hash_parts
from tinynas.search.evolve import Problem, search
from tinynas.search.explore import explore
from tinynas.search.inputs import data_options, fit_space, preset_for, read_data
from tinynas.search.measure import Measurements, arch_key
from tinynas.search.run_dir import JsonLines, RunDir, write_json
from tinynas.train import RichProgress
from tinynas.train.alone import TrainedNet, train_alone
from tinynas.train.evaluator import SupernetEvaluator
from tinynas.train.loop import train_supernet

Data = Annotated[str, typer.Option("--data", help="scenes, or a folder.")]
Out = Annotated[Path, typer.Option("--out", help="Where everything is kept; a study goes on from what lies there.")]
Epochs = Annotated[float, typer.Option("--epochs", min=0.001, help="Of every training, the same for every arm.")]
Space = Annotated[str | None, typer.Option("--space", help="Chosen by the data if not given.")]
Recipe = Annotated[str | None, typer.Option("--train", help="Training recipe; chosen by the data if not given.")]
Resolution = Annotated[int | None, typer.Option("--resolution", help="Of the subspace; the smallest if not given.")]
Width = Annotated[float | None, typer.Option("--width", help="Of the subspace; the smallest if not given.")]
MaxMacs = Annotated[int, typer.Option("--max-macs", help="Largest network of the study.")]
Supernet = Annotated[Path | None, typer.Option("--supernet", help="A trained checkpoint to use.")]
Sram = Annotated[str | None, typer.Option("--sram", help="The budget, as `tinynas search` takes it.")]
Flash = Annotated[str | None, typer.Option("--flash")]
Macs = Annotated[str | None, typer.Option("--macs")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Searches per arm.")]
SearchSettings = Annotated[str, typer.Option("--search", help="Search settings of configs/search or a YAML file.")]
Seed = Annotated[int, typer.Option("--seed", min=0)]


def study_command(epochs: float = 10.0) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a script's command of a function whose first parameter is the Study.

    It has the options of all studies (--out, --data, --epochs, --space, --train, --seed) and the function's own.
    """

    def study_of(
        out: Out,
        data: Data = "scenes",
        epochs: Epochs = epochs,
        space: Space = None,
        train: Recipe = None,
        seed: Seed = 0,
    ) -> Study:
        return Study(out, data, epochs, space, train, seed)

    def decorate(body: Callable[..., None]) -> Callable[..., None]:
        common = inspect.signature(study_of, eval_str=True).parameters
        _, *own = inspect.signature(body, eval_str=True).parameters.values()

        def command(**values: Any) -> None:
            body(study_of(**{name: values.pop(name) for name in common}), **values)

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*common.values(), *own)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        command.__doc__ = body.__doc__
        return reports_errors(command)

    return decorate


class Study:
    """One study's data, space and folder."""

    def __init__(
        self, out: Path, data: str, epochs: float, space: str | None = None, recipe: str | None = None, seed: int = 0
    ) -> None:
        self.out = out
        self.seed = seed
        self.data = read_data(data, data_options(out / ".cache", seed), log)
        preset = preset_for(self.data)
        self.space: SpaceConfig = fit_space(load_space(space or preset.space), self.data)
        self.train: TrainConfig = load_train(recipe or preset.train).model_copy(
            update={"epochs": epochs, "minutes": None, "seed": seed}
        )
        self._kept = RunDir(out)
        self._kept.open(
            {"data": self.data.fingerprint, "space": self.space.as_json(), "train": self.train_json()}, True
        )

    def train_json(self) -> dict[str, Any]:
        """What decides the trainings' results."""
        return self.train.model_dump(mode="json", exclude=FREE_KEYS)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """`name`.json of the study's folder, made if it is not there; another process that makes it is waited for."""
        with self._claim(name, wait=True):
            return self._kept.once(f"{name}.json", make)

    @contextmanager
    def _claim(self, name: str, wait: bool) -> Iterator[bool]:
        """Whether `name` is this process's meanwhile; with `wait` it is, once another that has it is done or dead."""
        with (self.out / f".{name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True

    def subspace(self, resolution: int | None, width: float | None) -> tuple[int, float]:
        """As asked for, or the space's smallest."""
        return resolution or self.space.resolutions[0], width or self.space.widths[0]

    def checkpoint(self, subspace: tuple[int, float] | None, given: Path | None = None) -> Path:
        """A supernet trained for one subspace or for all of the space, or the one given."""
        if given is not None:
            return given
        name = "shared" if subspace is None else f"w{subspace[1]:g}-r{subspace[0]}"
        with RichProgress(f"supernet {name}", log) as progress:
            return train_supernet(
                self.space, subspace, self.data, self.train, self.out / f"supernet-{name}.pt", progress
            )

    def evaluator(self, checkpoint: Path, split: Split | None = None, pictures: int | None = None) -> SupernetEvaluator:
        """A checkpoint's subnets on `pictures` of a split; without them on all, of the validation split."""
        device, seed = self.train.device, self.seed
        return SupernetEvaluator(checkpoint, self.data, split=split, pictures=pictures, device=device, seed=seed)

    def supernet(self, subspace: tuple[int, float] | None, given: Path | None = None) -> SupernetEvaluator:
        """checkpoint(), measured on the validation split."""
        return self.evaluator(self.checkpoint(subspace, given))

    def measurements(self, name: str, evaluator: SupernetEvaluator) -> Measurements:
        """Accuracies through a supernet, each measured once."""
        return Measurements(self.out / f"measured-{name}.jsonl", evaluator)

    def alone(self, arch: dict[str, Any], space: SpaceConfig | None = None) -> TrainedNet:
        """The arch trained from nothing, as long as everything else in the study."""
        key = f"alone-{self.name_of(arch, space or self.space)}"
        with RichProgress(key, log) as progress:
            return train_alone(
                space or self.space, json.dumps(arch), self.data, self.train, self.out / f"{key}.pt", progress
            )

    def accuracies_alone(self, archs: Sequence[dict[str, Any]], split: Split, name: str = "alone") -> list[float]:
        """Accuracy on a split of every arch trained alone, kept as `name`I.json; those that another process is at come
        last."""
        makers = {f"{name}{i}": lambda arch=arch: self.alone(arch).accuracy(split) for i, arch in enumerate(archs)}
        for key, make in makers.items():
            with self._claim(key, wait=False) as mine:
                if mine:
                    self._kept.once(f"{key}.json", make)
        return [self.once(key, make) for key, make in makers.items()]

    def name_of(self, arch: dict[str, Any], space: SpaceConfig) -> str:
        """A short name, one per network."""
        return hash_parts([arch_key(arch), space.model_dump_json()])

    def spread_archs(self, subspace: tuple[int, float] | None, count: int, max_macs: int) -> list[dict[str, Any]]:
        """`count` random networks of a subspace, or of all the space, of at most `max_macs`.

        They stand at even steps in the order, by MACs, of 20 times as many.
        """
        core = (self.space if subspace is None else self.space.subspace(*subspace)).to_core()
        limits = _core.Limits(macs=max_macs)
        options = _core.SearchOptions(population=20 * count, generations=0, seed=self.seed)
        found = _core.make_searcher("random", core, _core.make_oracle("streaming"), limits, options).ask()
        if len(found) < count:
            raise typer.BadParameter(f"only {len(found)} networks drawn have at most {max_macs:,} MACs")
        ranked = sorted(found, key=lambda candidate: candidate.score.macs)
        chosen = [ranked[round(i * (len(ranked) - 1) / (count - 1))] for i in range(count)]
        return [json.loads(candidate.arch.to_json()) for candidate in chosen]

    def macs(self, arch: dict[str, Any]) -> int:
        """Multiply-accumulates of a network of the space."""
        core = _core.Arch.from_json(json.dumps(arch))
        return int(_core.score(self.space.to_core(), _core.make_oracle("streaming"), core).macs)

    def finish(self, title: str, columns: list[str], rows: list[list[str]], figure: Figure, value: Any) -> None:
        """Prints the table, writes result.json, table.txt and plot.svg."""
        shown = table(f"{title} ({self.data.name}{', synthetic' if self.data.synthetic else ''})", columns, rows)
        log.print(shown)
        write_json(self.out / "result.json", value)
        figure.savefig(self.out / "plot.svg", bbox_inches="tight")
        log.print(f"written: {self.out / 'result.json'}, {self.out / 'plot.svg'}")


class Searches:
    """Searches of one supernet under one budget, with equally many measurements each: their curves, kept.

    A subnet that two of them ask for is measured once and counted for both.
    """

    def __init__(self, study: Study, config: str, limits: _core.Limits, supernet: Path | None) -> None:
        self.study = study
        self.settings = search_settings(config)
        self._limits = limits
        self._oracle = _core.make_oracle("streaming")
        samples = self.settings.samples_per_subspace
        stage1 = study.once("stage1", lambda: explore(study.space.to_core(), self._oracle, limits, samples, study.seed))
        self.winner: tuple[int, float] = (stage1["winner"]["resolution"], stage1["winner"]["width"])
        """(resolution, width) of stage 1's choice."""
        self._measurements = study.measurements("shared", study.supernet(None, supernet))

    def curve(self, key: str, space: SpaceConfig, seed: int, **changes: Any) -> list[float]:
        """The best measured accuracy after every measurement of the search `key`, with settings changed."""

        def run() -> list[float]:
            settings = self.settings.model_copy(update=changes)
            problem = Problem(space.to_core(), self._oracle, self._limits, self._measurements, settings, seed)
            file = JsonLines(self.study.out / f"history-{key}.jsonl")
            search(problem, file)
            return best_so_far([entry["accuracy"] for entry in file if entry["kind"] == "measured"])

        curve: list[float] = self.study.once(key, run)
        return curve

    def report(self, arms: dict[str, list[list[float]]], title: str) -> None:
        """Table, plot and result.json of arms of curves."""
        rows = []
        value: dict[str, Any] = {"curves": arms, "final": {}}
        for name, curves in arms.items():
            final = [100 * curve[-1] for curve in curves]
            value["final"][name] = final
            mean = sum(final) / len(final)
            rows.append([name, f"{mean:.2f}", f"{min(final):.2f}", f"{max(final):.2f}", str(min(map(len, curves)))])
        columns = ["search", "best, mean of seeds, val %", "least", "most", "measured"]
        full = f"{title}, {self.settings.measurements} measurements each"
        self.study.finish(full, columns, rows, plot_curves(arms, full), value)


def search_settings(name: str, **changes: Any) -> SearchConfig:
    """Settings of configs/search, changed."""
    return load_yaml(find_config("search", name), SearchConfig).model_copy(update=changes)


def best_so_far(accuracies: Sequence[float]) -> list[float]:
    """Running maximum."""
    return [float(value) for value in np.maximum.accumulate(accuracies)]


def plot_curves(arms: dict[str, list[list[float]]], title: str) -> Figure:
    """Best accuracy after every measurement: mean of the seeds as a line, their range as a band."""
    figure, axes = plt.subplots(figsize=(6.5, 4))
    for name, curves in arms.items():
        length = min(len(curve) for curve in curves)
        values = 100 * np.array([curve[:length] for curve in curves])
        steps = np.arange(1, length + 1)
        axes.plot(steps, values.mean(axis=0), label=name)
        axes.fill_between(steps, values.min(axis=0), values.max(axis=0), alpha=0.2)
    low = min(np.median(curve[: max(1, len(curve) // 20)]) for curves in arms.values() for curve in curves)
    axes.set(xlabel="subnets measured", ylabel="best accuracy on validation, %", title=title)
    axes.set_ylim(bottom=100 * low - 0.5)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
