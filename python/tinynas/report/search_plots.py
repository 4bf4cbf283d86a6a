"""Plots of the search and of the network it found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tinynas.report.figures import BLUE, CYCLE, GREEN, GREY, KIB, ORANGE, RED, new_axes
from tinynas.report.run import Candidate

Record = dict[str, Any]


def plot_evolution(history: Sequence[Candidate]) -> Figure | None:
    """Best and mean accuracy of every generation's candidates, and the best so far; measured ones as dots."""
    if not history:
        return None
    figure, axes = new_axes()
    generations = sorted({c.generation for c in history})
    groups = [[c.accuracy for c in history if c.generation == g] for g in generations]
    best = np.array([max(group) for group in groups])
    axes.plot(generations, [float(np.mean(group)) for group in groups], color=BLUE, label="mean of the generation")
    axes.plot(generations, best, color=ORANGE, label="best of the generation")
    axes.step(generations, np.maximum.accumulate(best), color=GREEN, linestyle="--", where="post", label="best so far")
    measured = [c for c in history if c.measured]
    if measured and len(measured) < len(history):
        points = [c.generation for c in measured], [c.accuracy for c in measured]
        axes.plot(*points, ".", color=GREY, markersize=4, label="measured", zorder=1)
    predicted = len(measured) < len(history)
    axes.set(xlabel="generation", ylabel="accuracy, %" + (" (lines: predicted and measured)" if predicted else ""))
    axes.set_title("Evolution")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8)
    return figure


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (cost, value) that no other beats in both, by rising cost."""
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    front: list[int] = []
    for index in order:
        if not front or points[index][1] > points[front[-1]][1]:
            front.append(index)
    return front


def plot_pareto(history: Sequence[Candidate], limit: float | None = None) -> Figure | None:
    """Accuracy over SRAM with the front; candidates without both are left out."""
    shown = [c for c in history if c.sram_bytes is not None]
    if not shown:
        return None
    figure, axes = new_axes()
    for measured, colour, text in ((False, GREY, "predicted"), (True, BLUE, "measured")):
        group = [c for c in shown if c.measured == measured]
        if group:
            xs = [float(c.sram_bytes or 0) / KIB for c in group]
            axes.plot(
                xs, [c.accuracy for c in group], ".", color=colour, markersize=5, alpha=0.7, label=text, rasterized=True
            )
    points = [(float(c.sram_bytes or 0) / KIB, c.accuracy) for c in shown]
    front = [points[i] for i in pareto_front(points)]
    front.append((max(x for x, _ in points), front[-1][1]))
    axes.step(*zip(*front, strict=True), where="post", color=ORANGE, linewidth=1.8, label="front")
    if limit is not None:
        axes.axvline(limit / KIB, color=RED, linestyle="--", linewidth=1.2, label="limit")
    axes.set(xlabel="SRAM, KiB", ylabel="accuracy, %", title="Accuracy and SRAM of the candidates")
    axes.legend(fontsize=8)
    return figure


def plot_hypervolume(front: Record) -> Figure | None:
    """What the front dominates, of the box of error and costs, as measurements come in."""
    volumes = front.get("hypervolume")
    if not volumes:
        return None
    figure, axes = new_axes()
    axes.step(range(1, len(volumes) + 1), volumes, where="post", color=BLUE)
    axes.set(
        xlabel="subnets measured", ylabel="hypervolume", title=f"Front of accuracy, {', '.join(front['objectives'])}"
    )
    return figure


def memory_by_block(cost: Record) -> dict[str, float]:
    """Bytes live in every block: the largest of its operators', in order of execution."""
    blocks: dict[str, float] = {}
    for layer in cost.get("layers", []):
        name = block_of(str(layer.get("name") or layer.get("operator") or layer.get("index", layer.get("op"))))
        blocks[name] = max(blocks.get(name, 0.0), float(layer.get("sram_bytes") or 0.0))
    return blocks


def block_of(name: str) -> str:
    """The block that an operator belongs to: `stages.2.blocks.1.expand` -> `s2.b1`, `blocks.3.project` -> `b3`."""
    head = re.split(r"[./][^./]*$", name, maxsplit=1)[0]
    return re.sub(r"stages[./](\d+)", r"s\1", re.sub(r"blocks[./](\d+)", r"b\1", head))


def plot_memory(costs: Sequence[Record], limit: float | None = None) -> Figure | None:
    """SRAM of every block under each schedule (`tinynas profile --json` values of the same network), with the limit."""
    tables = [(str(cost.get("schedule", "?")), memory_by_block(cost)) for cost in costs]
    tables = [(name, table) for name, table in tables if table]
    if not tables:
        return None
    blocks = list(dict.fromkeys(block for _, table in tables for block in table))
    figure, axes = new_axes(max(6.0, 1.5 + 0.34 * len(blocks)), 3.8)
    width = 0.8 / len(tables)
    for index, (name, table) in enumerate(tables):
        at = np.arange(len(blocks)) + (index - (len(tables) - 1) / 2) * width
        peak = max(table.values()) / KIB
        heights = [table.get(block, 0.0) / KIB for block in blocks]
        axes.bar(at, heights, width, color=CYCLE[index % len(CYCLE)], label=f"{name}, peak {peak:.1f} KiB")
    if limit is not None:
        axes.axhline(limit / KIB, color=RED, linestyle="--", linewidth=1.4, label=f"limit {limit / KIB:g} KiB")
    axes.set_xticks(range(len(blocks)), blocks, rotation=60, fontsize=7, ha="right", rotation_mode="anchor")
    axes.grid(visible=False, axis="x")
    axes.set(ylabel="KiB of SRAM", title="Memory per block")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.22)
    axes.legend(fontsize=8, loc="upper left", ncols=len(tables) + 1)
    return figure


def plot_accuracies(rows: Sequence[tuple[str, float]]) -> Figure | None:
    """Accuracies in percent as bars, the first row in front (the found network)."""
    if not rows:
        return None
    figure, axes = new_axes(6.5, 0.9 + 0.36 * len(rows))
    for index, (_, value) in enumerate(rows):
        axes.barh(index, value, color=GREEN if index == 0 else CYCLE[0], height=0.6)
        axes.text(value, index, f" {value:.1f}", va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    axes.invert_yaxis()
    low = min(value for _, value in rows)
    axes.set(xlabel="accuracy, %", xlim=(max(0.0, min(50.0, low - 10)), 102), title="Accuracy")
    return figure
