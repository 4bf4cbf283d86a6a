"""Baselines of a finished search, on the same data and trained equally long: what was the search worth?

    python scripts/baselines.py runs/NAME [--only random|mobilenetv2|tiny|smallest|found]

random       random search with the same number of measurements in the same supernet, its winner finetuned alike
mobilenetv2  MobileNetV2 with the width and resolution, of a grid, of most MACs within the budget; trained from nothing
tiny         MobileNetV2 of width 0.1 at 48 pixels, trained from nothing: the data must tell it from the winner
smallest     the smallest network of the space, trained from nothing
found        the found architecture itself, trained from nothing (what the supernet's weights were worth)

"Equally long" is in training pictures: as many as the supernet saw, plus the finetuning. Writes RUN/baselines.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import tinynas._core as _core
import typer

from tinynas.cli.output import log, reports_errors, table
from tinynas.config.search import Budget, SearchConfig
from tinynas.config.space import SpaceConfig, load_space
from tinynas.data import DataSet
from tinynas.search.evolve import Problem, random_search
from tinynas.search.explore import limits_of
from tinynas.search.finish import export_all, quantise, verify_c
from tinynas.search.inputs import data_of_run, fit_space
from tinynas.search.measure import Measurements
from tinynas.search.run_dir import JsonLines, RunDir, read_json, write_json
from tinynas.search.supernets import find_supernet
from tinynas.train import RichProgress, TrainConfig
from tinynas.train.alone import finetune, train_alone
from tinynas.train.evaluator import SupernetEvaluator

MOBILENET_RESOLUTIONS = (32, 48, 64, 80, 96, 112, 128, 160)
MOBILENET_WIDTHS = (0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1.0)


class Baselines:
    """The baselines of one run; each is kept in the run's folder and made once."""

    def __init__(self, run: Path) -> None:
        self.run = run
        config = read_json(run / "config.json")
        self.data: DataSet = data_of_run(run, log)
        self.space = SpaceConfig.model_validate(config["space"])
        self.train = TrainConfig.model_validate(config["train"]).model_copy(update={"seed": config["seed"]})
        self.search = SearchConfig.model_validate(config["search"])
        self.seed: int = config["seed"]
        self.limits = limits_of(Budget.model_validate(config["budget"]))
        options = _core.ScheduleOptions(
            image_streamed=config["image"] == "streamed", prefer=getattr(_core.Prefer, config["prefer"])
        )
        self.oracle = _core.make_oracle(config["schedule"], options)
        self.result = read_json(run / "result.json")
        self.checkpoint = find_supernet(run)

    def random(self) -> dict[str, Any]:
        """Random search with as many measurements as the search made."""
        folder = self._folder("random")
        evaluator = SupernetEvaluator(self.checkpoint, self.data, device=self.train.device, seed=self.seed)
        winner = read_json(self.run / "stage1.json")["winner"]
        space = self.space.subspace(winner["resolution"], winner["width"])
        history = JsonLines(self.run / "history.jsonl")
        count = len({json.dumps(e["arch"]) for e in history if e["kind"] == "measured"})
        measurements = Measurements(folder / "measured.jsonl", evaluator)
        problem = Problem(space.to_core(), self.oracle, self.limits, measurements, self.search, self.seed + 1)
        found = random_search(problem, JsonLines(folder / "history.jsonl"), count)
        with RichProgress("random search's winner", log) as progress:
            net = finetune(evaluator, found.winner["arch"], self.data, self.train, folder / "finetune.pt", progress)
        return self._verify(folder, net.extract(), net.accuracy(self.data.test)) | {"measurements": count}

    def mobilenetv2(self) -> dict[str, Any]:
        """The scaled MobileNetV2 of most MACs that fits, trained from nothing."""
        space = self._mobilenets(MOBILENET_RESOLUTIONS, MOBILENET_WIDTHS)
        core = space.to_core()
        archs = [_core.largest(core, r, w) for r in space.resolutions for w in space.widths]
        scores = [_core.score(core, self.oracle, arch) for arch in archs]
        fitting = [(s.macs, i) for i, s in enumerate(scores) if _core.fits(s, self.limits)]
        if not fitting:
            return {"fits": False}
        return self._alone("mobilenetv2", space, archs[max(fitting)[1]])

    def tiny(self) -> dict[str, Any]:
        """MobileNetV2 of width 0.1 at 48 pixels, trained from nothing."""
        space = self._mobilenets((48,), (0.1,))
        return self._alone("tiny", space, _core.largest(space.to_core(), 48, 0.1))

    def _mobilenets(self, resolutions: tuple[int, ...], widths: tuple[float, ...]) -> SpaceConfig:
        update = {"resolutions": resolutions, "widths": widths, "feature_mix": 0}
        return fit_space(load_space("mobilenetv2").model_copy(update=update), self.data)

    def smallest(self) -> dict[str, Any]:
        """The smallest network of the space, trained from nothing."""
        core = self.space.to_core()
        return self._alone(
            "smallest", self.space, _core.smallest(core, self.space.resolutions[0], self.space.widths[0])
        )

    def found(self) -> dict[str, Any]:
        """The found architecture, trained from nothing."""
        arch = read_json(self.run / "arch.json")["arch"]
        return self._alone("found", self.space, _core.Arch.from_json(json.dumps(arch)))

    def _alone(self, name: str, space: SpaceConfig, arch: _core.Arch) -> dict[str, Any]:
        folder = self._folder(name)
        epochs = (self.train.epochs or 0) + self.train.finetune_epochs
        config = self.train.model_copy(update={"epochs": epochs, "minutes": None})
        with RichProgress(f"{name}, from nothing", log) as progress:
            net = train_alone(space, arch.to_json(), self.data, config, folder / "alone.pt", progress)
        value = self._verify(folder, net.extract(), net.accuracy(self.data.test))
        return value | {"resolution": arch.resolution, "width": arch.width}

    def _verify(self, folder: Path, float_graph: _core.Graph, float_accuracy: float) -> dict[str, Any]:
        graph = quantise(float_graph, self.data, self.seed)
        plan = self.oracle.plan(graph)
        verified = verify_c(export_all(folder, graph, plan), graph, plan, {"test": self.data.test})
        cost = self.oracle.cost(graph)
        return {
            "float_test": float_accuracy,
            "int8_c_test": verified.accuracy["test"],
            "macs": cost.macs,
            "sram_bytes": cost.sram_bytes,
            "flash_bytes": cost.flash_bytes,
        }

    def _folder(self, name: str) -> Path:
        folder = self.run / "baselines" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


KINDS = ("random", "mobilenetv2", "tiny", "smallest", "found")


@reports_errors
def main(
    run: Annotated[Path, typer.Argument(help="The folder of a finished search.")],
    only: Annotated[list[str] | None, typer.Option("--only", help=f"One of {', '.join(KINDS)}; repeatable.")] = None,
) -> None:
    """Train the baselines of a finished search."""
    baselines = Baselines(run)
    kept = RunDir(run / "baselines")
    values = {kind: kept.once(f"{kind}.json", getattr(baselines, kind)) for kind in only or KINDS}
    result = baselines.result
    cost = result["cost"]
    values["search"] = {key: cost[key] for key in ("macs", "sram_bytes", "flash_bytes")} | {
        key: result["accuracy"][key] for key in ("float_test", "int8_c_test")
    }
    write_json(run / "baselines.json", values)
    rows = [
        [
            kind,
            f"{100 * v['int8_c_test']:.2f}",
            f"{100 * v['float_test']:.2f}",
            f"{v['macs']:,}",
            f"{v['sram_bytes']:,}",
            f"{v['flash_bytes']:,}",
        ]
        for kind, v in values.items()
        if v.get("fits", True)
    ]
    columns = ["network", "int8 C, test %", "float, test %", "MACs", "SRAM B", "Flash B"]
    log.print(table(f"{run.name}{' (synthetic pictures)' if result['synthetic'] else ''}", columns, rows))


if __name__ == "__main__":
    typer.run(main)
