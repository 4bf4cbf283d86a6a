"""Evolution, regularised evolution and random search at equal numbers of measurements, over several seeds.

    python scripts/studies/searchers.py --out OUT --data DIR --supernet DIR/supernet.pt --sram 64k --flash 96k

All search the same subspace (stage 1's choice for the budget) of the same supernet; a subnet that two of them ask for
is measured once and counted for both.
"""

from __future__ import annotations

from typing import Annotated, Any

import tinynas._core as _core
import typer
from study import (
    Data,
    Epochs,
    Out,
    Recipe,
    SearchSettings,
    Seed,
    Space,
    Study,
    Supernet,
    best_so_far,
    plot_curves,
    search_settings,
)

from tinynas.cli.output import reports_errors
from tinynas.cli.space import budget_of
from tinynas.search.evolve import Problem, search
from tinynas.search.explore import explore, limits_of
from tinynas.search.run_dir import JsonLines

SEARCHERS = ("evolution", "regularized-evolution", "random")


@reports_errors
def main(
    out: Out,
    data: Data = "scenes",
    sram: Annotated[str | None, typer.Option("--sram")] = None,
    flash: Annotated[str | None, typer.Option("--flash")] = None,
    macs: Annotated[int | None, typer.Option("--macs")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1)] = 5,
    supernet: Supernet = None,
    epochs: Epochs = 10.0,
    space: Space = None,
    train: Recipe = None,
    config: SearchSettings = "default",
    seed: Seed = 0,
) -> None:
    """Searchers at equal measurements."""
    study = Study(out, data, epochs, space, train, seed)
    settings = search_settings(config)
    limits = limits_of(budget_of(sram, flash, macs, None, None))
    oracle = _core.make_oracle("streaming")
    stage1 = study.once("stage1", lambda: explore(study.space, oracle, limits, settings.samples_per_subspace, seed))
    winner = stage1["winner"]
    subspace = study.space.subspace(winner["resolution"], winner["width"]).to_core()
    measurements = study.measurements("shared", study.supernet(None, supernet))

    def run(searcher: str, number: int) -> list[float]:
        problem = Problem(
            subspace, oracle, limits, measurements, settings.model_copy(update={"searcher": searcher}), number
        )
        return measured_curve(problem, study, f"history-{searcher}-{number}")

    arms: dict[str, list[list[float]]] = {
        searcher: [study.once(f"{searcher}-{n}", lambda s=searcher, n=n: run(s, n)) for n in range(seeds)]
        for searcher in SEARCHERS
    }
    report(study, arms, f"w{winner['width']:g}-r{winner['resolution']}, {settings.measurements} measurements each")


def measured_curve(problem: Problem, study: Study, history: str) -> list[float]:
    """The best measured accuracy after every measurement of one search."""
    file = JsonLines(study.out / f"{history}.jsonl")
    search(problem, file)
    return best_so_far([entry["accuracy"] for entry in file if entry["kind"] == "measured"])


def report(study: Study, arms: dict[str, list[list[float]]], title: str) -> None:
    """Table, plot and result.json of arms of best-so-far curves."""
    rows = []
    value: dict[str, Any] = {"curves": arms, "final": {}}
    for name, curves in arms.items():
        final = [100 * curve[-1] for curve in curves]
        value["final"][name] = final
        mean = sum(final) / len(final)
        rows.append([name, f"{mean:.2f}", f"{min(final):.2f}", f"{max(final):.2f}", str(min(map(len, curves)))])
    columns = ["search", "best, mean of seeds, val %", "least", "most", "measured"]
    study.finish(title, columns, rows, plot_curves(arms, title), value)


if __name__ == "__main__":
    typer.run(main)
