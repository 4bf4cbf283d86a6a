"""What a better schedule buys: the same search of the same supernet under the streaming and under TinyEngine's oracle.

    python scripts/studies/schedules.py --out runs/studies/schedules --data scenes --supernet DIR/supernet.pt

For each SRAM budget and schedule: stage 1, evolution, and the winner's accuracy through the supernet.
"""

from __future__ import annotations

from typing import Annotated, Any

import matplotlib.pyplot as plt
import numpy as np
import tinynas._core as _core
import typer
from study import SearchSettings, Study, Supernet, search_settings, study_command

from tinynas.cli.space import budget_of
from tinynas.errors import InfeasibleError
from tinynas.search.evolve import Problem, search
from tinynas.search.explore import explore, limits_of
from tinynas.search.run_dir import JsonLines


@study_command()
def main(
    study: Study,
    budgets: Annotated[list[str] | None, typer.Option("--sram", help="Repeatable; 64k and 128k if not given.")] = None,
    flash: Annotated[str, typer.Option("--flash")] = "1M",
    schedules: Annotated[list[str] | None, typer.Option("--schedule", help="Repeatable.")] = None,
    supernet: Supernet = None,
    config: SearchSettings = "default",
) -> None:
    """Accuracy under two oracles."""
    settings = search_settings(config)
    checkpoint = study.checkpoint(None, supernet)
    measurements = study.measurements("shared", study.supernet(None, checkpoint))
    test = study.evaluator(checkpoint, study.data.test)

    def run(schedule: str, sram: str) -> dict[str, Any]:
        limits = limits_of(budget_of(sram, flash, None, None, None))
        oracle = _core.make_oracle(schedule)
        try:
            stage1 = explore(study.space.to_core(), oracle, limits, settings.samples_per_subspace, study.seed)
        except InfeasibleError as error:
            return {"infeasible": str(error)}
        subspace = study.space.subspace(stage1["winner"]["resolution"], stage1["winner"]["width"])
        problem = Problem(subspace.to_core(), oracle, limits, measurements, settings, study.seed)
        found = search(problem, JsonLines(study.out / f"history-{schedule}-{sram}.jsonl"))
        return found.winner | stage1["winner"] | {"test": test.accuracy(found.winner["arch"])}

    arms = [
        (sram, schedule) for sram in budgets or ["64k", "128k"] for schedule in schedules or ["tinyengine", "streaming"]
    ]
    results = {
        f"{sram} {schedule}": study.once(f"{schedule}-{sram}", lambda a=sram, b=schedule: run(b, a))
        for sram, schedule in arms
    }
    rows = [
        [name, "nothing fits", "", "", "", ""]
        if "infeasible" in r
        else [
            name,
            f"w{r['width']:g}-r{r['resolution']}",
            f"{r['macs']:,}",
            f"{r['sram_bytes']:,}",
            f"{100 * r['accuracy']:.2f}",
            f"{100 * r['test']:.2f}",
        ]
        for name, r in results.items()
    ]
    figure, axes = plt.subplots(figsize=(6, 3.5))
    heights = [100 * r.get("test", 0.0) for r in results.values()]
    axes.bar(np.arange(len(results)), heights)
    axes.set_xticks(range(len(results)), list(results), rotation=20, ha="right")
    shown = [height for height in heights if height > 0]
    axes.set(ylabel="test accuracy, %", ylim=(min(shown, default=0) - 5, max(shown, default=95) + 2))
    columns = ["budget and schedule", "subspace", "MACs", "SRAM B", "val %", "test %"]
    study.finish("The same supernet under two schedules", columns, rows, figure, results)


if __name__ == "__main__":
    typer.run(main)
