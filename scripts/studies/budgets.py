"""What mixed precision buys in small chips: the best int8 and the best mixed network of one supernet, budget by budget.

    python scripts/studies/budgets.py --data DIR --supernet supernet.pt --out runs/studies/budgets

A budget is all of a chip's SRAM and Flash: what engine, start-up and stack take on `--target` counts. How much code a
network needs depends on its kernels, so that a search is repeated with the code of its winner, and the most accurate of
the winners whose firmware fits stands. Searches have equally many measurements. Both winners are quantised after
training, with `--qat-epochs` the mixed one is also trained with its quantisers; accuracies are of test pictures, by the
generated C code.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import matplotlib.pyplot as plt
import numpy as np
import tinynas._core as _core
import typer
from study import SearchSettings, Study, Supernet, search_settings, study_command

from tinynas.cli.output import log
from tinynas.config import format_size, parse_size
from tinynas.config.search import Budget
from tinynas.config.target import load_target
from tinynas.deploy.code_size import predict_flash
from tinynas.errors import InfeasibleError
from tinynas.export.cproject import export_c
from tinynas.search.bits import Bits, with_bits, without_formats
from tinynas.search.evolve import Problem, search
from tinynas.search.explore import explore, limits_of
from tinynas.search.finish import as_int8, build_c, pictures_of, resolution_of, run_c
from tinynas.search.measure import Measurements
from tinynas.search.quantised import FormatMeasurer, Quantised, quantise_network
from tinynas.search.run_dir import JsonLines
from tinynas.train.evaluator import SupernetEvaluator

BUDGETS = ("16k/64k", "32k/96k", "64k/160k")
COMPARED = 100
ARMS = {"int8": Bits.eight, "mixed": Bits.mixed}
ROUNDS = 3  # of a search
CODE_SLACK = 512  # bytes that code may be off what the search counted


class Arms:
    """Searches in one supernet, and what comes of their winners."""

    def __init__(self, study: Study, evaluator: SupernetEvaluator, settings: str, target: str) -> None:
        self._study = study
        self._evaluator = evaluator
        self._settings = search_settings(settings)
        board = load_target(target)
        self._core = board.core
        self._overhead = board.overhead_of("tinynas")
        self._oracle = _core.make_oracle(
            "streaming", _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed)
        )

    def find(self, name: str, budget: str, bits: Bits) -> dict[str, Any]:
        """The best winner within a budget whose firmware fits; {} where there is none."""
        sram, flash = map(parse_size, budget.split("/"))
        best: dict[str, Any] = {}
        code = self._overhead.flash_bytes
        for attempt in range(ROUNDS):
            overhead = self._overhead.model_copy(update={"flash_bytes": code})
            limits = limits_of(Budget(sram_bytes=sram, flash_bytes=flash), overhead)
            found = self._search(f"{name}-{attempt}", limits, bits)
            if not found:
                break
            graph = self._quantised(f"{name}-{attempt}", found, 0.0).graph
            firmware = self._firmware_bytes(graph, f"{name}-{attempt}")
            log.print(f"{name}: {100 * found['accuracy']:.2f} % measured, {firmware:,} B of firmware")
            if firmware <= flash and found["accuracy"] > best.get("accuracy", 0):
                best = found
            needed = firmware - self._oracle.cost(graph).flash_bytes
            if firmware <= flash and abs(needed - code) <= CODE_SLACK:
                break
            code = needed
        return best

    def _firmware_bytes(self, graph: _core.Graph, name: str) -> int:
        """Flash of a network's firmware on the target's core, by deploy's table of code."""
        project = export_c(graph, self._oracle.plan(graph), self._study.out / f"{name}-{self._core}", core=self._core)
        return predict_flash(project, self._core).total

    def _quantised(self, name: str, found: dict[str, Any], qat_epochs: float) -> Quantised:
        core = _core.Arch.from_json(json.dumps(found["arch"]))
        formats = _core.operator_formats(self._study.space.to_core(), core)
        source = self._evaluator.extract(without_formats(found["arch"]))
        config = self._study.train.model_copy(update={"qat_epochs": qat_epochs})
        return quantise_network(source, self._study.data, formats, config, self._study.out / f"{name}.pt")

    def _search(self, name: str, limits: _core.Limits, bits: Bits) -> dict[str, Any]:
        """The winner of a search; {} where nothing fits."""
        study, seed = self._study, self._study.seed
        try:
            samples = self._settings.samples_per_subspace
            winner = explore(with_bits(study.space, bits), self._oracle, limits, samples, seed)["winner"]
        except InfeasibleError:
            return {}
        space = with_bits(study.space.subspace(winner["resolution"], winner["width"]), bits)
        measurements = Measurements(study.out / "measured.jsonl", self._evaluator)
        if bits is not Bits.eight:
            measurer = FormatMeasurer(measurements, self._evaluator, study.data, seed)
            measurements = Measurements(study.out / "quantised.jsonl", measurer)
        problem = Problem(space, self._oracle, limits, measurements, self._settings, seed)
        return search(problem, JsonLines(study.out / f"history-{name}.jsonl")).winner

    def finish(self, name: str, found: dict[str, Any], qat_epochs: float, count: int | None) -> dict[str, Any]:
        """The winner as C code on the test pictures, its outputs on some of them those of the reference interpreter."""
        study = self._study
        quantised = self._quantised(name, found, qat_epochs)
        graph, plan = quantised.graph, self._oracle.plan(quantised.graph)
        project = export_c(graph, plan, study.out / f"{name}-c")
        program = build_c(project, plan)
        pictures, labels = pictures_of(study.data.test, resolution_of(graph), count, study.seed)
        outputs = run_c(project, program, graph, as_int8(pictures), COMPARED)
        cost = self._oracle.cost(graph)
        return {
            "accuracy": float(np.mean(outputs.argmax(axis=1) == labels)),
            "pictures": len(labels),
            "macs": cost.macs,
            "sram_bytes": cost.sram_bytes + self._overhead.sram_bytes,
            "flash_bytes": self._firmware_bytes(graph, name),
            "method": quantised.report["method"],
        }


@study_command()
def main(
    study: Study,
    supernet: Supernet = None,
    settings: SearchSettings = "default",
    target: Annotated[str, typer.Option("--target", help="Whose engine, start-up and stack count.")] = "rp2040",
    qat_epochs: Annotated[float, typer.Option("--qat-epochs", min=0, help="0: quantised after training.")] = 0.0,
    measured: Annotated[int | None, typer.Option("--measured", help="Validation pictures of a measurement.")] = None,
    pictures: Annotated[int | None, typer.Option("--pictures", help="Of the test set; all if not given.")] = None,
    budgets: Annotated[list[str] | None, typer.Option("--budget", help="SRAM/Flash; without it all three.")] = None,
) -> None:
    """Accuracy of the best int8 and the best mixed network at 16k/64k, 32k/96k and 64k/160k of SRAM and Flash."""
    evaluator = study.evaluator(study.checkpoint(None, supernet), pictures=measured)
    arms = Arms(study, evaluator, settings, target)
    results: dict[str, Any] = {}
    for budget in budgets or BUDGETS:
        for arm, bits in ARMS.items():
            name = f"{arm}-{budget.replace('/', '-')}"
            found = study.once(f"{name}-winner", lambda n=name, b=budget, k=bits: arms.find(n, b, k))
            if not found:
                log.print(f"{budget}: no {arm} network of the space fits")
                continue
            results[f"{budget} {arm}"] = study.once(
                f"{name}-result", lambda n=name, f=found: arms.finish(n, f, qat_epochs, pictures)
            )
    rows = [
        [
            name,
            f"{100 * r['accuracy']:.2f}",
            f"{r['pictures']:,}",
            f"{r['macs']:,}",
            format_size(r["sram_bytes"]),
            format_size(r["flash_bytes"]),
            r["method"],
        ]
        for name, r in results.items()
    ]
    figure, axes = plt.subplots(figsize=(6, 3.5))
    axes.bar(list(results), [100 * r["accuracy"] for r in results.values()])
    axes.tick_params(axis="x", rotation=45)
    axes.set(ylabel="test accuracy, %", ylim=(min(100 * r["accuracy"] for r in results.values()) - 5, None))
    columns = ["budget, bits", "test %", "pictures", "MACs", "SRAM", "Flash", "by"]
    study.finish("The best int8 and mixed networks of one supernet", columns, rows, figure, results)


if __name__ == "__main__":
    typer.run(main)
