"""Searches of one supernet under one budget at equal numbers of measurements, over several seeds.

    python scripts/studies/searches.py searchers --out OUT --data DIR --supernet DIR/supernet.pt --sram 64k --flash 96k
    python scripts/studies/searches.py stages --out OUT --data DIR --supernet DIR/supernet.pt --sram 64k --flash 96k

`searchers`: evolution, regularised evolution and random search in the same subspace, stage 1's choice for the budget.
`stages`: the two-stage choice (a subspace first, then evolution in it) against a search over the mixed space
(Lin et al., MCUNet, 2020, ablation).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from study import Flash, Macs, Searches, SearchSettings, Seeds, Sram, Study, Supernet, study_command

from tinynas.cli.space import budget_of
from tinynas.search.explore import limits_of

SEARCHERS = ("evolution", "regularized-evolution", "random")
Curves = list[list[float]]


class Arms(StrEnum):
    """What is compared."""

    searchers = "searchers"
    stages = "stages"


@study_command()
def main(
    study: Study,
    arms: Annotated[Arms, typer.Argument(help="What is compared.")],
    sram: Sram = None,
    flash: Flash = None,
    macs: Macs = None,
    seeds: Seeds = 5,
    supernet: Supernet = None,
    config: SearchSettings = "default",
) -> None:
    """Searches at equal measurements."""
    searches = Searches(study, config, limits_of(budget_of(sram, flash, macs, None, None)), supernet)
    resolution, width = searches.winner
    subspace = f"w{width:g}-r{resolution}"
    if arms is Arms.searchers:
        searches.report(by_searcher(searches, seeds), subspace)
    else:
        searches.report(by_space(searches, f"two stages ({subspace})", seeds), "Two stages and the mixed space")


def by_searcher(searches: Searches, seeds: int) -> dict[str, Curves]:
    """Every searcher in stage 1's subspace."""
    subspace = searches.study.space.subspace(*searches.winner)
    return {
        searcher: [searches.curve(f"{searcher}-{n}", subspace, n, searcher=searcher) for n in range(seeds)]
        for searcher in SEARCHERS
    }


def by_space(searches: Searches, two_stages: str, seeds: int) -> dict[str, Curves]:
    """Evolution in stage 1's subspace and in the whole space."""
    space = searches.study.space
    spaces = {two_stages: space.subspace(*searches.winner), "mixed space": space}
    return {
        name: [searches.curve(f"arm{index}-{n}", searched, n) for n in range(seeds)]
        for index, (name, searched) in enumerate(spaces.items())
    }


if __name__ == "__main__":
    typer.run(main)
