"""What rounding costs, and what training wins back: one float network in three formats, post-training against LSQ.

    python scripts/studies/quantisation.py MODEL --out runs/studies/quantisation --data DIR --epochs 1

MODEL: a run or a published network with float_model.json; --epochs: of quantisation-aware training. Accuracies are the
generated C code's on all test pictures, or --pictures of them; its outputs on 100 validation pictures must equal the
reference interpreter's. FORMAT-METHOD.json below --out are the quantised graphs; a study that was stopped goes on.
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
from tinynas.errors import InputError
from tinynas.export.cproject import export_c
from tinynas.search.finish import as_int8, build_c, pictures_of, quantise, resolution_of, run_c
from tinynas.train import RichProgress
from tinynas.train.qat import quantisation_aware

FORMATS = ("w8a8", "w4a8", "w4a4")
MIXED = "mixed"
WEIGHTED = ("conv2d", "depthwise_conv2d", "fully_connected")
COMPARED = 100


def formats_of(source: _core.Graph, form: str) -> list[str]:
    """One per operator; mixed: the layers of 4-bit weights have activations of 4 and of 8 bits by turns."""
    if form != MIXED:
        return list(_core.uniform_formats(source, form))
    formats = list(_core.uniform_formats(source, "w4a4"))
    layers = [i for i, operator in enumerate(source.operators) if operator.kind in WEIGHTED and formats[i] == "w4a4"]
    for layer in layers[1::2]:
        formats[layer] = "w4a8"
    return formats


@study_command(epochs=1.0)
def main(
    study: Study,
    model: Annotated[Path, typer.Argument(help="Folder with float_model.json.")],
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="The recipe's if not given.")] = None,
    pictures: Annotated[int | None, typer.Option("--pictures", help="Of the test set; all if not given.")] = None,
    forms: Annotated[
        list[str] | None, typer.Option("--format", help="w8a8, w4a8, w4a4 or mixed; without it the first three.")
    ] = None,
) -> None:
    """Accuracy in w8a8, w4a8 and w4a4, quantised after training and trained with quantisers."""
    out, seed = study.out, study.seed
    chosen = forms or list(FORMATS)
    for form in chosen:
        if form not in (*FORMATS, MIXED):
            raise InputError(f"--format: expected one of {', '.join((*FORMATS, MIXED))}, got {form!r}")
    file = model / "float_model.json"
    if not file.is_file():
        raise InputError(f"{model}: expected a run or a published network with float_model.json")
    source = _core.Graph.from_json(file.read_text(encoding="utf-8"))
    rate = learning_rate or study.train.qat_learning_rate
    config = study.train.model_copy(update={"qat_epochs": study.train.epochs, "qat_learning_rate": rate})
    oracle = _core.make_oracle("streaming")

    def quantised(form: str, method: str) -> _core.Graph:
        formats = formats_of(source, form)
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

    arms = [(form, method) for form in chosen for method in ("ptq", "qat") if (form, method) != ("w8a8", "qat")]
    suffix = ["result"] if pictures is None else ["result", str(pictures)]
    results = {" ".join(arm): study.once("-".join([*arm, *suffix]), lambda a=arm: run(*a)) for arm in arms}
    int8 = results.get("w8a8 ptq")
    rows = [
        [
            name,
            f"{100 * r['accuracy']:.2f}",
            f"{100 * (r['accuracy'] - int8['accuracy']):+.2f}" if int8 else "",
            f"{r['pictures']:,}",
            f"{r['arena_bytes']:,}",
            f"{r['flash_bytes']:,}",
        ]
        for name, r in results.items()
    ]
    figure, axes = plt.subplots(figsize=(6, 3.5))
    axes.bar(list(results), [100 * r["accuracy"] for r in results.values()])
    axes.set(ylabel="test accuracy, %", ylim=(min(100 * r["accuracy"] for r in results.values()) - 5, None))
    columns = ["format", "test %", "against int8", "pictures", "SRAM B", "Flash B"]
    study.finish(f"{model.name} by format", columns, rows, figure, results)


if __name__ == "__main__":
    typer.run(main)
