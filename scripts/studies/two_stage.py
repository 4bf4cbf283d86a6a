"""The two-stage choice (a subspace first, then evolution in it) against a search over the mixed space.

    python scripts/studies/two_stage.py --out OUT --data DIR --supernet DIR/supernet.pt --sram 64k --flash 96k

Both search one supernet under one budget (Lin et al., MCUNet, 2020, ablation).
"""

from __future__ import annotations

import typer
from study import (
    Data,
    Epochs,
    Flash,
    Macs,
    Out,
    Recipe,
    Searches,
    SearchSettings,
    Seed,
    Seeds,
    Space,
    Sram,
    Study,
    Supernet,
)

from tinynas.cli.output import reports_errors
from tinynas.cli.space import budget_of
from tinynas.search.explore import limits_of


@reports_errors
def main(
    out: Out,
    data: Data = "scenes",
    sram: Sram = None,
    flash: Flash = None,
    macs: Macs = None,
    seeds: Seeds = 5,
    supernet: Supernet = None,
    epochs: Epochs = 10.0,
    space: Space = None,
    train: Recipe = None,
    config: SearchSettings = "default",
    seed: Seed = 0,
) -> None:
    """Two stages against the mixed space."""
    study = Study(out, data, epochs, space, train, seed)
    searches = Searches(study, config, limits_of(budget_of(sram, flash, macs, None, None)), supernet)
    resolution, width = searches.winner
    spaces = {
        f"two stages (w{width:g}-r{resolution})": study.space.subspace(resolution, width),
        "mixed space": study.space,
    }
    arms = {
        name: [searches.curve(f"arm{index}-{n}", searched, n) for n in range(seeds)]
        for index, (name, searched) in enumerate(spaces.items())
    }
    searches.report(arms, "Two stages and the mixed space")


if __name__ == "__main__":
    typer.run(main)
