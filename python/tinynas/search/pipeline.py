"""`tinynas search`: every stage from the data to the verified C project, each kept in the run's folder, done once."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tinynas.config.space import SpaceConfig
from tinynas.data import DataSet
from tinynas.search.bits import Bits, with_bits, without_formats
from tinynas.search.evolve import Found, Problem, search
from tinynas.search.explore import check_latency, explore, limits_of
from tinynas.search.finish import export_all, verify_c
from tinynas.search.given import given
from tinynas.search.inputs import data_options
from tinynas.search.measure import AccuraciesOf, Measurements
from tinynas.search.quantised import FormatMeasurer, Quantised, quantise_network
from tinynas.search.run_dir import JsonLines, RunDir, read_json, write_json
from tinynas.search.settings import SearchSettings
from tinynas.search.supernets import check_space, obtain_supernet, train_config

if TYPE_CHECKING:
    import tinynas._core as _core

    from tinynas.train.evaluator import SupernetEvaluator


class Search:
    """One run. `finish()` does what is left of it and returns its result."""

    def __init__(self, settings: SearchSettings, data: DataSet, resume: bool, console: Console) -> None:
        self.settings = settings
        self.data = data
        self.space = settings.space
        self.console = console
        self.run = RunDir(settings.run)
        self.run.open(settings.as_json() | {"data_fingerprint": data.fingerprint}, resume)
        self._seconds = Timings(settings.run / "timings.json")
        self._evaluator: SupernetEvaluator | None = None
        self._oracle: _core.Oracle | None = None

    def finish(self) -> dict[str, Any]:
        """Runs the stages that are left; the value of result.json."""
        result: dict[str, Any] = self.run.once("result.json", self._all_stages)
        return result

    def _all_stages(self) -> dict[str, Any]:
        if self.settings.timed:
            check_latency(with_bits(self.space, self.settings.bits), self.oracle())
        space = self._subspace()
        found = self.run.once("stage2.json", lambda: self._stage2(space))
        stage = "given" if self.settings.arch else "stage 2"
        self.console.print(
            f"[bold]{stage}[/]: {100 * found['accuracy']:.1f} % through the supernet, {found['macs']:,} MACs, "
            f"{found['sram_bytes']:,} B SRAM, {found['flash_bytes']:,} B Flash"
        )
        write_json(self.run.path / "arch.json", {"space": self.space.model_dump(mode="json"), "arch": found["arch"]})
        result = self._finish_network(found)
        self._report(result)
        return result

    def _subspace(self) -> SpaceConfig:
        """What stage 2 searches: stage 1's choice; in joint mode, or for a given network, everything."""
        if self.settings.search.mode == "joint" or self.settings.arch:
            return self.space
        stage1 = self._stage1()
        winner = stage1["winner"]
        self.console.print(
            f"[bold]stage 1[/]: resolution {winner['resolution']}, width {winner['width']:g} "
            f"(of {len(stage1['subspaces'])} subspaces)"
        )
        return self.space.subspace(winner["resolution"], winner["width"])

    def _stage1(self) -> dict[str, Any]:
        def make() -> dict[str, Any]:
            with self._bars() as bars, self._seconds("stage1"):
                task = bars.add_task("stage 1: sampling subspaces", total=None)

                def advance(done: int, total: int) -> bool:
                    bars.update(task, completed=done, total=total)
                    return True

                samples = self.settings.search.samples_per_subspace
                space = with_bits(self.space, self.settings.bits)
                return explore(space, self.oracle(), self.limits(), samples, self.settings.seed, advance)

        result: dict[str, Any] = self.run.once("stage1.json", make)
        return result

    def _stage2(self, space: SpaceConfig) -> dict[str, Any]:
        evaluator = self.evaluator()
        core = with_bits(space, self.settings.bits)
        measurements = Measurements(self._measured_file(), self._measurer(evaluator))
        if self.settings.bits is not Bits.eight:
            measurer = FormatMeasurer(measurements, evaluator, self.data, self.settings.seed)
            measurements = Measurements(self._measured_file("quantised"), measurer)
        problem = Problem(core, self.oracle(), self.limits(), measurements, self.settings.search, self.settings.seed)
        found = given(self.settings.arch, problem) if self.settings.arch else self._search(problem)
        if found.front:
            write_json(self.run.path / "front.json", found.front)
        return found.winner | {"predictor": found.predictor, "finalists": found.finalists}

    def _search(self, problem: Problem) -> Found:
        with self._bars() as bars, self._seconds("stage2"):
            tasks: dict[str, Any] = {}

            def advance(title: str, done: int, total: int) -> None:
                if title not in tasks:
                    tasks[title] = bars.add_task(f"stage 2: {title}", total=total)
                bars.update(tasks[title], completed=done, total=total)

            return search(problem, JsonLines(self.run.path / "history.jsonl"), advance)

    def _finish_network(self, found: dict[str, Any]) -> dict[str, Any]:
        import tinynas._core as _core

        from tinynas.cli.profile import profile_report

        trained = self.run.once("float.json", lambda: self._finetune(found))
        float_graph = _core.Graph.from_json((self.run.path / "float_model.json").read_text(encoding="utf-8"))
        with self.console.status("quantising"), self._seconds("quantise"):
            quantised = self._quantise(float_graph, found["arch"])
        graph = quantised.graph
        plan = self._host_plan(graph)
        cost = profile_report(graph, self.oracle(), self.settings.target)
        write_json(self.run.path / "cost.json", cost)
        with self.console.status("exporting and running the C project"), self._seconds("export"):
            project = export_all(self.run.path, graph, plan)
            verified = verify_c(project, graph, plan, {"val": self.data.val, "test": self.data.test})
        return {
            "data": self.data.name,
            "synthetic": self.data.synthetic,
            "finetuned": trained["finetuned"],
            "val_by_statistics": trained["val_by_statistics"],
            "accuracy": {"supernet_val": found["accuracy"], **trained["accuracy"]}
            | {f"int8_c_{split}": value for split, value in verified.accuracy.items()},
            "pictures": verified.pictures,
            "pictures_equal_to_reference": verified.equal_pictures,
            "arena_bytes": {"predicted": plan.arena_bytes, "compiled": verified.arena_bytes},
            "cost": {key: value for key, value in cost.items() if key != "layers"},
            "quantised": {"bits": self.settings.bits.value} | quantised.report,
            "predictor": found["predictor"],
            "seconds": self._seconds.values,
        }

    def _quantise(self, float_graph: _core.Graph, arch: dict[str, Any]) -> Quantised:
        import tinynas._core as _core

        formats = _core.operator_formats(self.space.to_core(), _core.Arch.from_json(json.dumps(arch)))
        checkpoint = self.run.path / "qat.pt"
        return quantise_network(float_graph, self.data, formats, train_config(self.settings), checkpoint)

    def _finetune(self, found: dict[str, Any]) -> dict[str, Any]:
        """Trains the winner on, and writes the float graph of what it became, or of the supernet's subnet where that is
        clearly better on the validation pictures. Returns `finetuned`, and that network's `accuracy`.

        Clearly: by more than the standard error of an accuracy on so many pictures, since the winner, the best of many
        measured on these very pictures, had luck of about that size.
        """
        from tinynas.search.run_dir import write_atomic
        from tinynas.train import RichProgress
        from tinynas.train.alone import FINETUNED, finetune

        evaluator, arch = self.evaluator(), without_formats(found["arch"])
        with self._seconds("finetune"), RichProgress("finetuning the winner") as progress:
            config, others = train_config(self.settings), (self.settings.teacher, self.settings.init)
            net = finetune(evaluator, arch, self.data, config, self.run.path / FINETUNED, progress, *others)
            before, after = found.get("float_accuracy", found["accuracy"]), net.accuracy()
        by_statistics = net.val_by_statistics
        self.console.print(
            f"[bold]finetuning[/]: {100 * after:.2f} % on validation (statistics of training pictures as they are "
            f"{100 * by_statistics['plain']:.2f} %, as training sees them {100 * by_statistics['seen']:.2f} %)"
        )
        luck = math.sqrt(before * (1 - before) / len(self.data.val))
        gained = after >= before - luck
        if not gained:
            self.console.print(
                f"finetuning fell from {100 * before:.2f} to {100 * after:.2f} % on validation: its result is left out"
            )
        graph = net.extract() if gained else evaluator.extract(arch)
        write_atomic(self.run.path / "float_model.json", graph.to_json())
        test = net.accuracy(self.data.test) if gained else evaluator.accuracy(arch, self.data.test)
        accuracy = {"float_val": after if gained else before, "float_test": test}
        return {"finetuned": gained, "val_by_statistics": by_statistics, "accuracy": accuracy}

    def _report(self, result: dict[str, Any]) -> None:
        from tinynas.report import write_html

        write_json(self.run.path / "result.json", result)
        with self.console.status("writing the report"):
            write_html(self.run.path)

    def evaluator(self) -> SupernetEvaluator:
        """The supernet, trained if need be."""
        if self._evaluator is None:
            from tinynas.train.evaluator import SupernetEvaluator

            with self._seconds("supernet"):
                checkpoint = obtain_supernet(self.settings, self.space, self.data)
            self._evaluator = SupernetEvaluator(
                checkpoint, self.data, device=self.settings.device, seed=self.settings.seed
            )
            check_space(SpaceConfig.model_validate_json(self._evaluator.space_json), self.space, checkpoint)
            self._checkpoint = checkpoint
            write_json(self.run.path / "supernet.json", {"checkpoint": str(checkpoint)})
        return self._evaluator

    def _measurer(self, evaluator: SupernetEvaluator) -> AccuraciesOf:
        """The evaluator itself, or Ray workers that hold copies of it."""
        if self.settings.workers < 2:
            return evaluator
        from tinynas.search.ray_workers import EvaluatorMaker, RayEvaluator

        settings = self.settings
        content = self._checkpoint.read_bytes()
        options = data_options(settings.cache.absolute(), settings.seed, settings.hold_out)
        maker = EvaluatorMaker(content, _absolute(settings.data), options, settings.seed, settings.device)
        return RayEvaluator(maker, settings.workers)

    def _measured_file(self, kind: str = "measured") -> Path:
        """Beside the checkpoint when it is ours, else in the run."""
        own = self.settings.supernet is None
        return (self._checkpoint.parent if own else self.run.path) / f"{kind}-{self.data.fingerprint[:16]}.jsonl"

    def oracle(self) -> _core.Oracle:
        """A plugin, or the schedule's."""
        import tinynas._core as _core

        if self._oracle is None:
            if self.settings.plugin is not None:
                from tinynas.plugin import PluginOracle

                self._oracle = PluginOracle(self.settings.plugin)
            else:
                options = self._options(on_core=True)
                self._oracle = _core.make_oracle(self.settings.schedule, options)
        return self._oracle

    def _options(self, *, on_core: bool) -> _core.ScheduleOptions:
        """Portable kernels, or those of the target's core, if any, with their packing and latency."""
        import tinynas._core as _core

        from tinynas.cli.profile import arena_limit
        from tinynas.latency import kernels_of
        from tinynas.oracle import schedule_options

        settings, target = self.settings, self.settings.target
        return schedule_options(
            settings.schedule,
            arena_limit(settings.budget.sram_bytes, target),
            image_streamed=settings.image_streamed,
            prefer=getattr(_core.Prefer, settings.prefer),
            **(kernels_of(target.core, target.clock_hz) if target and on_core else {}),
        )

    def _host_plan(self, graph: _core.Graph) -> _core.Plan:
        """What the exported C project executes: portable kernels, our own schedule where the oracle only accounts."""
        import tinynas._core as _core

        plan = None
        if self.settings.plugin is None:
            plan = _core.make_oracle(self.settings.schedule, self._options(on_core=False)).plan(graph)
        return plan or _core.make_oracle("streaming", self._options(on_core=False)).plan(graph)

    def limits(self) -> _core.Limits:
        """The budget, with the platform's overhead when there is a target."""
        from tinynas.cli.profile import ENGINE_OF_SCHEDULE

        target = self.settings.target
        engine = ENGINE_OF_SCHEDULE.get(self.oracle().name, "tinynas")
        return limits_of(self.settings.budget, target.overhead_of(engine) if target else None)

    def _bars(self) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console)


def _absolute(data: str) -> str:
    """A data folder by a path that holds in any working directory; a bundled set's name as it is."""
    return str(Path(data).absolute()) if Path(data).exists() else data


class Timings:
    """Seconds per stage, summed over resumptions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.values: dict[str, float] = read_json(path) if path.exists() else {}

    def __call__(self, stage: str) -> _Timed:
        return _Timed(self, stage)

    def add(self, stage: str, seconds: float) -> None:
        self.values[stage] = round(self.values.get(stage, 0.0) + seconds, 2)
        write_json(self._path, self.values)


class _Timed:
    def __init__(self, timings: Timings, stage: str) -> None:
        self._timings = timings
        self._stage = stage

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._timings.add(self._stage, time.monotonic() - self._start)
