"""Plots of stage 1: FLOPs distributions of the subspaces and maps over resolution and width. FLOPs are MACs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tinynas.report.figures import CYCLE, GREY, KIB, RED, new_axes

Record = dict[str, Any]
_SHOWN = 6
_MILLION = 1e6


def label_of(subspace: Record) -> str:
    """`w0.5-r176`, as the published networks are named."""
    return f"w{subspace['width']:g}-r{subspace['resolution']}"


def plot_flops_cdf(stage1: Record, title: str = "FLOPs of the networks that fit, by subspace") -> Figure | None:
    """Cumulative distributions (the paper's figure), the winner in front, p80 marked; None without samples.

    `stage1` is the value of `tinynas space --json` with `flops` (MACs of the satisfying samples) in its subspaces.
    """
    shown = [s for s in ranked(stage1) if s.get("flops")]
    if not shown:
        return None
    figure, axes = new_axes()
    winner = stage1.get("winner") or {}
    for subspace in shown[_SHOWN:]:
        _cdf(axes, subspace["flops"], {"color": GREY, "linewidth": 0.6, "alpha": 0.5})
    for colour, subspace in reversed(list(zip(CYCLE, shown[:_SHOWN], strict=False))):
        best = is_winner(subspace, winner)
        text = f"{label_of(subspace)}: mean {subspace['mean_flops'] / _MILLION:.1f} M"
        style = {"color": colour, "linewidth": 2.6 if best else 1.3, "label": text + (" (chosen)" if best else "")}
        _cdf(axes, subspace["flops"], style)
        p80 = float(np.quantile(subspace["flops"], 0.8)) / _MILLION
        axes.plot([p80], [0.8], "o", color=colour, markersize=6 if best else 4)
        if best:
            note = f"p80 = {p80:.1f} M"
            axes.annotate(note, (p80, 0.8), xytext=(6, -16), textcoords="offset points", color=colour, weight="bold")
    axes.axhline(0.8, color="#4a5568", linewidth=0.8, linestyle=":")
    axes.set(xlabel="M MACs", ylabel="share of networks below", ylim=(0, 1.02), title=title)
    axes.set_xlim(left=0)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], fontsize=8, loc="lower right")
    return figure


def _cdf(axes: Axes, flops: Sequence[float], style: dict[str, Any]) -> None:
    levels = np.linspace(0, 1, 101)
    axes.plot(np.quantile(np.asarray(flops, dtype=float), levels) / _MILLION, levels, **style)


def plot_flops_means(stage1: Record, count: int = 24) -> Figure | None:
    """Mean (bar), p80 (tick) and, where samples are kept, quartiles of the best subspaces."""
    shown = ranked(stage1)[:count]
    if not shown:
        return None
    figure, axes = new_axes(7.0, 0.8 + 0.22 * len(shown))
    winner = stage1.get("winner") or {}
    for row, subspace in enumerate(shown):
        colour = RED if is_winner(subspace, winner) else CYCLE[0]
        axes.barh(row, subspace["mean_flops"] / _MILLION, color=colour, height=0.65, alpha=0.75)
        if subspace.get("flops"):
            low, high = np.quantile(subspace["flops"], (0.25, 0.75)) / _MILLION
            axes.plot([low, high], [row, row], color="#2d3748", linewidth=1.4)
        if subspace.get("p80_flops"):
            axes.plot([subspace["p80_flops"] / _MILLION], [row], "|", color="#1a202c", markersize=11, markeredgewidth=2)
    names = [f"{label_of(s)}  ({_share(s)})" for s in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set(
        xlabel="M MACs: mean (bar), quartiles (line), p80 (tick)", title="Subspaces by mean FLOPs (share that fits)"
    )
    return figure


def _share(subspace: Record) -> str:
    samples = subspace.get("samples") or 0
    return f"{100 * subspace.get('satisfying', 0) / samples:.0f} %" if samples else "-"


def plot_flops_map(stage1: Record) -> Figure | None:
    """Mean FLOPs over resolution and width; empty where nothing fits, the winner framed."""
    subspaces = [s for s in stage1.get("subspaces", []) if "resolution" in s and "width" in s]
    if not subspaces:
        return None
    resolutions, widths, grid = _grid(subspaces, "mean_flops")
    figure = _map(resolutions, widths, grid / _MILLION, "mean M MACs")
    winner = stage1.get("winner")
    if winner and winner.get("resolution") in resolutions and winner.get("width") in widths:
        _frame(figure.axes[0], resolutions.index(winner["resolution"]), widths.index(winner["width"]))
    figure.axes[0].set_title("Mean M MACs of the networks that fit")
    return figure


def plot_sram_map(
    resolutions: Sequence[int],
    widths: Sequence[float],
    sram_bytes: Sequence[Sequence[float]],
    limit: float | None = None,
) -> Figure:
    """SRAM in KiB of a network (or a median) for every resolution (columns) and width (rows); the limit as a line."""
    grid = np.asarray(sram_bytes, dtype=float) / KIB
    figure = _map(list(resolutions), list(widths), grid, "KiB of SRAM")
    axes = figure.axes[0]
    if limit is not None and np.nanmin(grid) < limit / KIB < np.nanmax(grid):
        axes.contour(grid, levels=[limit / KIB], colors=[RED], linewidths=2)
    axes.set_title("SRAM over resolution and width" + (f", limit {limit / KIB:g} KiB in red" if limit else ""))
    return figure


def _grid(
    subspaces: Sequence[Record], key: str
) -> tuple[list[int], list[float], np.ndarray[Any, np.dtype[np.float64]]]:
    resolutions = sorted({s["resolution"] for s in subspaces})
    widths = sorted({s["width"] for s in subspaces})
    grid = np.full((len(widths), len(resolutions)), np.nan)
    for subspace in subspaces:
        if subspace.get("satisfying", 1) and subspace.get(key) is not None:
            grid[widths.index(subspace["width"]), resolutions.index(subspace["resolution"])] = subspace[key]
    return resolutions, widths, grid


def _map(
    resolutions: Sequence[int], widths: Sequence[float], grid: np.ndarray[Any, np.dtype[np.float64]], label: str
) -> Figure:
    figure, axes = new_axes(1.8 + 0.5 * len(resolutions), 1.4 + 0.36 * len(widths))
    axes.grid(visible=False)
    picture = axes.imshow(grid, origin="lower", aspect="auto", cmap="viridis")
    axes.set_xticks(range(len(resolutions)), [str(r) for r in resolutions])
    axes.set_yticks(range(len(widths)), [f"{w:g}" for w in widths])
    axes.set(xlabel="resolution", ylabel="width multiplier")
    finite = grid[np.isfinite(grid)]
    middle = (finite.min() + finite.max()) / 2 if finite.size else 0.0
    for (row, column), value in np.ndenumerate(grid):
        text = (f"{value:.0f}" if value >= 99.95 else f"{value:.3g}") if np.isfinite(value) else "-"
        colour = "white" if np.isfinite(value) and value < middle else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(picture, ax=axes).set_label(label, fontsize=8)
    return figure


def _frame(axes: Axes, column: int, row: int) -> None:
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=RED, linewidth=2.5, clip_on=False))


def ranked(stage1: Record) -> list[Record]:
    """Subspaces that count (stage 1's rule: 1 % and 10 of the samples fit), by mean FLOPs, highest first."""
    counting = [s for s in stage1.get("subspaces", []) if s.get("mean_flops") and _counts(s)]
    return sorted(counting, key=lambda s: -float(s["mean_flops"]))


def _counts(subspace: Record) -> bool:
    samples = int(subspace.get("samples") or 0)
    satisfying = int(subspace.get("satisfying") or 0)
    return "satisfying" not in subspace or satisfying >= max(min(10, samples), 0.01 * samples)


def is_winner(subspace: Record, winner: Record) -> bool:
    return subspace.get("resolution") == winner.get("resolution") and subspace.get("width") == winner.get("width")
