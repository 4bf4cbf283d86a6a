"""The two-stage choice (a subspace first, then evolution in it) against a search over the mixed space.

    python scripts/studies/two_stage.py --out OUT --data DIR --supernet DIR/supernet.pt --sram 64k --flash 96k

Both search one supernet with equally many measurements under one budget (Lin et al., MCUNet, 2020, ablation).
"""

from __future__ import annotations

from typing import Annotated

import tinynas._core as _core
import typer
from searchers import measured_curve, report
from study import Data, Epochs, Out, Recipe, SearchSettings, Seed, Space, Study, Supernet, search_settings

from tinynas.cli.output import reports_errors
from tinynas.cli.space import budget_of
from tinynas.search.evolve import Problem
from tinynas.search.explore import explore, limits_of


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
    """Two stages against the mixed space."""
    study = Study(out, data, epochs, space, train, seed)
    settings = search_settings(config)
    limits = limits_of(budget_of(sram, flash, macs, None, None))
    oracle = _core.make_oracle("streaming")
    stage1 = study.once("stage1", lambda: explore(study.space, oracle, limits, settings.samples_per_subspace, seed))
    winner = stage1["winner"]
    spaces = {
        f"two stages (w{winner['width']:g}-r{winner['resolution']})": study.space.subspace(
            winner["resolution"], winner["width"]
        ).to_core(),
        "mixed space": study.space.to_core(),
    }
    measurements = study.measurements("shared", study.supernet(None, supernet))
    arms: dict[str, list[list[float]]] = {}
    for index, (name, searched) in enumerate(spaces.items()):
        arms[name] = []
        for number in range(seeds):
            problem = Problem(searched, oracle, limits, measurements, settings, number)
            key = f"arm{index}-{number}"
            arms[name].append(study.once(key, lambda p=problem, k=key: measured_curve(p, study, f"history-{k}")))
    report(study, arms, f"Two stages and the mixed space, {settings.measurements} measurements each")


if __name__ == "__main__":
    typer.run(main)
