"""What rounding costs, and what training wins back: one float network in three formats, post-training against LSQ.

    python scripts/studies/quantisation.py MODEL --out runs/studies/quantisation --data DIR --epochs 1

MODEL: a run or a published network with float_model.json. Accuracies are the generated C code's on test pictures; its
outputs on 100 validation pictures must equal the reference interpreter's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import matplotlib.pyplot as plt
import numpy as np
import tinynas._core as _core
import typer
from study import Data, Epochs, Out, Recipe, Seed, Study

from tinynas.cli.output import log, reports_errors
from tinynas.data.base import Split
from tinynas.errors import CheckError
from tinynas.export.cproject import CProject, export_c, run_host
from tinynas.search.finish import as_int8, pictures_of, quantise, resolution_of
from tinynas.train import RichProgress
from tinynas.train.qat import quantisation_aware

FORMATS = ("w8a8", "w4a8", "w4a4")
COMPARED = 100


def outputs_of(
    project: CProject, graph: _core.Graph, split: Split, count: int | None, seed: int
) -> tuple[Any, Any, Any]:
    """(inputs, the C code's outputs, labels) of `count` pictures of a split, all if None."""
    pictures, labels = pictures_of(split, resolution_of(graph), count, seed)
    inputs = as_int8(pictures)
    return inputs, run_host(project, [inputs]).outputs[0].reshape(len(labels), -1), labels


@reports_errors
def main(
    model: Annotated[Path, typer.Argument(help="Folder with float_model.json.")],
    out: Out,
    data: Data = "scenes",
    epochs: Epochs = 1.0,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="The recipe's if not given.")] = None,
    pictures: Annotated[int | None, typer.Option("--pictures", help="Of the test set; all if not given.")] = None,
    train: Recipe = None,
    seed: Seed = 0,
) -> None:
    """Accuracy in w8a8, w4a8 and w4a4, quantised after training and trained with quantisers."""
    study = Study(out, data, epochs, None, train, seed)
    source = _core.Graph.from_json((model / "float_model.json").read_text(encoding="utf-8"))
    rate = learning_rate or study.train.qat_learning_rate
    config = study.train.model_copy(update={"qat_epochs": epochs, "qat_learning_rate": rate})
    oracle = _core.make_oracle("streaming")

    def quantised(form: str, method: str) -> _core.Graph:
        formats = list(_core.uniform_formats(source, form))
        after = quantise(source, study.data, seed, formats)
        if method == "ptq":
            return after
        start = after if config.qat_start == "ptq" else None
        with RichProgress(f"quantisation-aware training, {form}", log) as progress:
            return quantisation_aware(source, formats, study.data, config, out / f"{form}.pt", progress, start)

    def run(form: str, method: str) -> dict[str, Any]:
        graph = quantised(form, method)
        (out / f"{form}-{method}.json").write_text(graph.to_json(), encoding="utf-8")
        plan = oracle.plan(graph)
        project = export_c(graph, plan, out / f"{form}-{method}-c")
        inputs, got, _ = outputs_of(project, graph, study.data.val, COMPARED, seed)
        if not np.array_equal(got, np.asarray(_core.run_batch(graph, [inputs])[0]).reshape(got.shape)):
            raise CheckError(f"{project.folder}: the C code's outputs differ from the reference interpreter's")
        _, outputs, labels = outputs_of(project, graph, study.data.test, pictures, seed)
        cost = oracle.cost(graph)
        return {
            "accuracy": float(np.mean(outputs.argmax(axis=1) == labels)),
            "pictures": len(labels),
            "arena_bytes": plan.arena_bytes,
            "flash_bytes": cost.flash_bytes,
        }

    arms = [(form, method) for form in FORMATS for method in ("ptq", "qat") if (form, method) != ("w8a8", "qat")]
    results = {" ".join(arm): study.once("-".join([*arm, "result"]), lambda a=arm: run(*a)) for arm in arms}
    rows = [
        [name, f"{100 * r['accuracy']:.2f}", f"{r['pictures']:,}", f"{r['arena_bytes']:,}", f"{r['flash_bytes']:,}"]
        for name, r in results.items()
    ]
    figure, axes = plt.subplots(figsize=(6, 3.5))
    axes.bar(list(results), [100 * r["accuracy"] for r in results.values()])
    axes.set(ylabel="test accuracy, %", ylim=(min(100 * r["accuracy"] for r in results.values()) - 5, None))
    study.finish(
        "One network in three formats", ["format", "test %", "pictures", "SRAM B", "Flash B"], rows, figure, results
    )


if __name__ == "__main__":
    typer.run(main)
