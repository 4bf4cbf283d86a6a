"""The report of a run: one HTML file that needs nothing besides itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from matplotlib.figure import Figure

from tinynas.report.figures import to_svg
from tinynas.report.run import Run, read_run
from tinynas.report.search_plots import (
    plot_accuracies,
    plot_evolution,
    plot_hypervolume,
    plot_memory,
    plot_pareto,
)
from tinynas.report.subspace_plots import label_of, plot_flops_cdf, plot_flops_map, plot_flops_means, ranked
from tinynas.report.summary import SYNTHETIC_NOTE, accuracies, summary_rows

_SHOWN_SUBSPACES = 12


@dataclass(frozen=True)
class Plot:
    """A figure's place in the report: file name, what it shows, and how it is made (None: not enough data)."""

    name: str
    caption: str
    draw: Callable[[Run], Figure | None]


PLOTS: tuple[Plot, ...] = (
    Plot(
        "accuracy",
        "Accuracies of the found network (green: int8, run as C code, on the test split) and of baselines.",
        lambda r: plot_accuracies(accuracies(r.result)),
    ),
    Plot(
        "memory",
        "Bytes live in each block of the found network, the largest of its operators; platform overhead not included.",
        lambda r: plot_memory(r.costs, r.sram_limit),
    ),
    Plot(
        "flops_cdf",
        "Stage 1: how many MACs the networks of each subspace have that fit the budget; 80 % of the chosen subspace's "
        "lie below its p80. Grey: subspaces that are not in the legend.",
        lambda r: plot_flops_cdf(r.stage1),
    ),
    Plot("flops_means", "Stage 1: the subspaces in order of their mean.", lambda r: plot_flops_means(r.stage1)),
    Plot("flops_map", "Stage 1: the same means over resolution and width.", lambda r: plot_flops_map(r.stage1)),
    Plot(
        "evolution", "Stage 2: accuracy of the candidates on the validation split.", lambda r: plot_evolution(r.history)
    ),
    Plot("pareto", "Every candidate of stage 2.", lambda r: plot_pareto(r.history, r.sram_limit)),
    Plot(
        "hypervolume",
        "Pareto mode: the part of the box (error 0 to 1, costs up to the largest measured) that the networks dominate.",
        lambda r: plot_hypervolume(r.front),
    ),
)


def write_html(run_dir: Path) -> Path:
    """Writes `run_dir`/report.html and `run_dir`/plots/*.svg from what the run has so far; returns the report's path.

    Raises InputError when `run_dir` is no folder.
    """
    run = read_run(run_dir)
    plots: list[dict[str, object]] = []
    (run_dir / "plots").mkdir(exist_ok=True)
    for plot in PLOTS:
        figure = plot.draw(run)
        if figure is not None:
            svg = to_svg(figure)
            (run_dir / "plots" / f"{plot.name}.svg").write_text(svg, encoding="utf-8")
            plots.append({"name": plot.name, "caption": plot.caption, "svg": Markup(svg)})
    environment = Environment(
        loader=PackageLoader("tinynas.report", "templates"),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("report.html.j2").render(
        run=run,
        plots=plots,
        summary=summary_rows(run),
        note=SYNTHETIC_NOTE if run.synthetic else "",
        subspaces=[{**s, "label": label_of(s)} for s in ranked(run.stage1)[:_SHOWN_SUBSPACES]],
        layers=run.costs[0]["layers"] if run.costs else [],
        arch=json.dumps(run.arch, indent=1) if run.arch else "",
        config=yaml.safe_dump(run.config, sort_keys=False) if run.config else "",
    )
    target = run_dir / "report.html"
    scratch = run_dir / "report.html.part"
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(target)
    return target
