"""Does a supernet rank subnets as training each alone does?

    python scripts/studies/rank_correlation.py --data DIR --out runs/studies/rank --epochs 10 [--networks 12]
        [--supernet models/cifar10-supernet/supernet.pt]

`--networks` random subnets, spread over the MACs, are trained alone; Kendall's tau between their accuracies on the test
split, which no choice depends on, and those that a supernet gives them. `--split validation` then measures the same
networks on the pictures that a search sees. The supernet is the one given, or is trained
equally long; the subnets are of one subspace (`--resolution`, `--width`), or of all that the supernet holds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import matplotlib.pyplot as plt
import tinynas._core as _core
import typer
from study import MaxMacs, Resolution, Study, Supernet, Width, study_command


class Pictures(StrEnum):
    """Which accuracies are measured on."""

    test = "test"
    validation = "validation"


@study_command()
def main(
    study: Study,
    networks: Annotated[int, typer.Option("--networks", min=3)] = 12,
    resolution: Resolution = None,
    width: Width = None,
    max_macs: MaxMacs = 4_000_000,
    supernet: Supernet = None,
    split: Annotated[Pictures, typer.Option("--split", help="What accuracies are measured on.")] = Pictures.test,
) -> None:
    """Rank correlation of supernet accuracy with accuracy of subnets trained alone."""
    whole = resolution is None and width is None
    subspace = None if whole else study.subspace(resolution, width)
    archs = study.once("archs", lambda: study.spread_archs(subspace, networks, max_macs))
    pictures, kind = (study.data.test, "") if split is Pictures.test else (study.data.val, f"-{split}")

    def through_supernet() -> list[float]:
        evaluator = study.evaluator(study.checkpoint(subspace, supernet), pictures)
        return study.measurements(f"supernet-{split}", evaluator).accuracies(archs)

    through = study.once(f"supernet{kind}", through_supernet)
    alone = study.accuracies_alone(archs, pictures, f"alone{kind}")
    tau = _core.kendall_tau(through, alone)
    rows: list[list[str]] = [
        [f"{study.macs(arch):,}", f"{100 * a:.2f}", f"{100 * b:.2f}"]
        for arch, a, b in zip(archs, through, alone, strict=True)
    ]
    figure, axes = plt.subplots(figsize=(5, 4))
    axes.plot([100 * a for a in through], [100 * b for b in alone], "o")
    axes.set(xlabel="through the supernet, %", ylabel="trained alone, %", title=f"Kendall's tau {tau:.3f}")
    axes.grid(alpha=0.3)
    value: dict[str, Any] = {
        "tau": tau,
        "split": split,
        "supernet": through,
        "alone": alone,
        "archs": archs,
        "epochs": study.train.epochs,
    }
    where = f"w{subspace[1]:g}-r{subspace[0]}" if subspace else study.space.name
    title = f"{where}, {study.train.epochs:g} epochs each: Kendall's tau {tau:.3f}"
    study.finish(title, ["MACs", f"supernet, {split} %", f"alone, {split} %"], rows, figure, value)


if __name__ == "__main__":
    typer.run(main)
