"""The look of every figure, and figures as text."""

from __future__ import annotations

import io
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#2b6cb0", "#dd6b20", "#2f855a", "#c53030", "#a0aec0"
CYCLE = (BLUE, ORANGE, GREEN, RED, "#805ad5", "#d69e2e", "#319795", "#b83280")
KIB = 1024.0


def new_axes(width: float = 7.0, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure (inches) with one plain axes; no global state is touched."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#e2e8f0", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def to_svg(figure: Figure) -> str:
    """The figure as an <svg> element, the same text for the same figure."""
    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "tinynas", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return re.sub(
        r'(<svg [^>]*?)width="[^"]*" height="[^"]*"|(<svg [^>]*?)height="[^"]*" width="[^"]*"',
        r"\1\2",
        text[text.index("<svg") :],
        count=1,
    )


def save_figure(figure: Figure, path: Path) -> None:
    """Writes .png or .svg by the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".svg":
        path.write_text(to_svg(figure), encoding="utf-8")
    else:
        figure.savefig(path, dpi=130)
