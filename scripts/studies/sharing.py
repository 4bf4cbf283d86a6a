"""What sharing weights costs: the same subnets from the shared supernet, from a per-subspace supernet, and alone.

    python scripts/studies/sharing.py --data DIR --out runs/studies/sharing --epochs 10 [--networks 5]

Every training has equally many passes over the pictures. Accuracies are on the test split; no choice depends on them.
"""

from __future__ import annotations

from typing import Annotated, Any

import matplotlib.pyplot as plt
import numpy as np
import typer
from study import MaxMacs, Resolution, Study, Width, study_command

ARMS = ("shared", "subspace", "alone")


@study_command()
def main(
    study: Study,
    networks: Annotated[int, typer.Option("--networks", min=2)] = 5,
    resolution: Resolution = None,
    width: Width = None,
    max_macs: MaxMacs = 4_000_000,
) -> None:
    """Accuracy of the same subnets under three ways of training."""
    subspace = study.subspace(resolution, width)
    archs = study.once("archs", lambda: study.spread_archs(subspace, networks, max_macs))

    def through(shared: bool) -> list[float]:
        checkpoint = study.checkpoint(None if shared else subspace)
        evaluator = study.evaluator(checkpoint, study.data.test)
        return study.measurements(f"{checkpoint.stem}-test", evaluator).accuracies(archs)

    found: dict[str, list[float]] = {
        "shared": study.once("shared", lambda: through(True)),
        "subspace": study.once("subspace", lambda: through(False)),
        "alone": study.accuracies_alone(archs, study.data.test),
    }
    rows = [[f"{study.macs(arch):,}", *(f"{100 * found[arm][i]:.2f}" for arm in ARMS)] for i, arch in enumerate(archs)]
    rows.append(["mean", *(f"{100 * float(np.mean(found[arm])):.2f}" for arm in ARMS)])
    figure, axes = plt.subplots(figsize=(6, 3.5))
    for index, arm in enumerate(ARMS):
        axes.bar(np.arange(len(archs)) + 0.27 * (index - 1), [100 * a for a in found[arm]], 0.27, label=arm)
    axes.set_xticks(range(len(archs)), [f"{study.macs(arch) / 1e6:.2f} M" for arch in archs])
    low = 100 * min(min(values) for values in found.values())
    axes.set(xlabel="MACs", ylabel="test accuracy, %", ylim=(max(0.0, low - 5), 100))
    axes.legend()
    value: dict[str, Any] = {"archs": archs, "epochs": study.train.epochs, "accuracy": found}
    title = f"Sharing in w{subspace[1]:g}-r{subspace[0]}, {study.train.epochs:g} epochs each"
    study.finish(title, ["MACs", *(f"{arm}, test %" for arm in ARMS)], rows, figure, value)


if __name__ == "__main__":
    typer.run(main)
