"""Evolution, regularised evolution and random search at equal numbers of measurements, over several seeds.

    python scripts/studies/searchers.py --out OUT --data DIR --supernet DIR/supernet.pt --sram 64k --flash 96k

All search the same subspace (stage 1's choice for the budget) of the same supernet.
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

SEARCHERS = ("evolution", "regularized-evolution", "random")


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
    """Searchers at equal measurements."""
    study = Study(out, data, epochs, space, train, seed)
    searches = Searches(study, config, limits_of(budget_of(sram, flash, macs, None, None)), supernet)
    resolution, width = searches.winner
    subspace = study.space.subspace(resolution, width)
    arms = {
        searcher: [searches.curve(f"{searcher}-{n}", subspace, n, searcher=searcher) for n in range(seeds)]
        for searcher in SEARCHERS
    }
    searches.report(arms, f"w{width:g}-r{resolution}")


if __name__ == "__main__":
    typer.run(main)
