"""Pareto mode: the front of accuracy and costs, and its hypervolume as measurements come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_KEYS = {"sram": "sram_bytes", "flash": "flash_bytes", "macs": "macs", "latency": "latency_us"}


def front_of(entries: Sequence[dict[str, Any]], objectives: Sequence[str]) -> dict[str, Any]:
    """`networks`: the measured networks that no other beats in accuracy and every objective, by rising first objective;
    `hypervolume`: after each measurement, the part of the box (error 0 to 1, every cost 0 to `reference`) that the
    networks so far dominate. Empty without objectives. `entries` stand in the order of measuring."""
    if not objectives or not entries:
        return {}
    import tinynas._core as _core

    keys = [_KEYS[objective] for objective in objectives]
    reference = {key: max(entry[key] for entry in entries) for key in keys}
    points = [
        [1.0 - entry["accuracy"], *(entry[key] / reference[key] if reference[key] else 0.0 for key in keys)]
        for entry in entries
    ]
    corner = [1.0] * (1 + len(keys))
    volumes: list[float] = []
    front: list[list[float]] = []
    for point in points:
        candidates = [*front, point]
        front = [candidates[i] for i in _core.pareto_front(candidates)]
        volumes.append(volumes[-1] if point not in front else float(_core.hypervolume(front, corner)))
    kept = sorted((entries[i] for i in _core.pareto_front(points)), key=lambda entry: entry[keys[0]])
    return {"objectives": list(objectives), "reference": reference, "networks": kept, "hypervolume": volumes}


def spread_front(
    candidates: Sequence[Any], accuracies: Sequence[float], objectives: Sequence[str], count: int
) -> list[int]:
    """Indices of at most `count` candidates of the predicted front, at even steps of its first objective."""
    import tinynas._core as _core

    keys = [_KEYS[objective] for objective in objectives]
    points = [
        [-accuracy, *(float(getattr(candidate.score, key)) for key in keys)]
        for candidate, accuracy in zip(candidates, accuracies, strict=True)
    ]
    front = sorted(_core.pareto_front(points), key=lambda i: points[i][1])
    if len(front) <= count:
        return front
    return [front[round(i * (len(front) - 1) / max(1, count - 1))] for i in range(count)]
