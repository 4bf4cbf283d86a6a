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
from study import Study, study_command

from tinynas.cli.output import log
from tinynas.export.cproject import export_c
from tinynas.search.finish import as_int8, build_c, pictures_of, quantise, resolution_of, run_c
from tinynas.train import RichProgress
from tinynas.train.qat import quantisation_aware

FORMATS = ("w8a8", "w4a8", "w4a4")
COMPARED = 100


@study_command(epochs=1.0)
def main(
    study: Study,
    model: Annotated[Path, typer.Argument(help="Folder with float_model.json.")],
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="The recipe's if not given.")] = None,
    pictures: Annotated[int | None, typer.Option("--pictures", help="Of the test set; all if not given.")] = None,
) -> None:
    """Accuracy in w8a8, w4a8 and w4a4, quantised after training and trained with quantisers."""
    out, seed = study.out, study.seed
    source = _core.Graph.from_json((model / "float_model.json").read_text(encoding="utf-8"))
    rate = learning_rate or study.train.qat_learning_rate
    config = study.train.model_copy(update={"qat_epochs": study.train.epochs, "qat_learning_rate": rate})
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
        program = build_c(project, plan)
        compared, _ = pictures_of(study.data.val, resolution_of(graph), COMPARED, seed)
        run_c(project, program, graph, as_int8(compared), COMPARED)
        shown, labels = pictures_of(study.data.test, resolution_of(graph), pictures, seed)
        outputs = run_c(project, program, graph, as_int8(shown), 0)
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
