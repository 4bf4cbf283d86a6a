"""The bundled data set `scenes`: drawn once by as many processes as there are cores, then read from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.data.arrays import ArraySplit
from tinynas.data.augment import find_preset
from tinynas.data.base import DataSet
from tinynas.data.cache import Arrays, cached_arrays, hash_parts
from tinynas.data.scenes.scene import CLASSES, DRAWING_VERSION, SIZE, draw_scene
from tinynas.errors import CheckError, InputError

SPLITS = ("train", "val", "test")
DEFAULT_SIZES = (10_000, 1_000, 2_000)
_SMALLEST_SHARE = 200
"""Pictures below which another process costs more than it draws."""


def load_scenes(
    sizes: tuple[int, int, int] = DEFAULT_SIZES,
    seed: int = 0,
    cache_dir: Path | None = None,
    augmentation: str = "scenes",
    workers: int | None = None,
) -> DataSet:
    """`scenes` with `sizes` pictures in train, val and test; half of every split shows a person.

    The first call draws (about 3.5 ms of one core per picture) with `workers` processes (default: one per core).
    """
    if min(sizes) < 2:
        raise InputError(f"scenes: expected at least 2 pictures in each of train, val and test, got {sizes}")
    key = hash_parts(["scenes", DRAWING_VERSION, SIZE, sizes, seed])
    workers = (os.cpu_count() or 1) if workers is None else workers
    arrays, fingerprint = cached_arrays(cache_dir, f"scenes-{key}", lambda: _draw_all(sizes, seed, workers))
    recipe = find_preset(augmentation)
    splits = [
        ArraySplit(arrays[name].view(np.uint8), _labels(size), augmentation=recipe)
        for name, size in zip(SPLITS, sizes, strict=True)
    ]
    note = (
        "scenes is synthetic: its pictures are drawn by the program, and accuracies on it say nothing about photographs"
    )
    return DataSet(
        name="scenes",
        classes=CLASSES,
        train=splits[0],
        val=splits[1],
        test=splits[2],
        max_resolution=SIZE,
        synthetic=True,
        fingerprint=fingerprint,
        notes=(note,),
    )


def _labels(count: int) -> NDArray[np.int64]:
    return np.arange(count, dtype=np.int64) % 2


def draw_range(seed: int, split: int, start: int, stop: int) -> NDArray[np.uint8]:
    """Pictures start..stop (half-open) of a split, [n, 96, 96, 3]."""
    return np.stack([draw_scene(seed, split, index)[0] for index in range(start, stop)])


def _draw_all(sizes: tuple[int, int, int], seed: int, workers: int) -> Arrays:
    jobs = [
        (split, start, min(start + share, size))
        for split, size in enumerate(sizes)
        for share in [max(_SMALLEST_SHARE, -(-size // max(1, workers)))]
        for start in range(0, size, share)
    ]
    if workers <= 1 or sum(sizes) <= _SMALLEST_SHARE:
        drawn = [draw_range(seed, *job) for job in jobs]
    else:
        with tempfile.TemporaryDirectory(prefix="tinynas-scenes-") as folder:
            drawn = _draw_in_processes(jobs, seed, workers, Path(folder))
    return {
        name: np.concatenate([part for part, job in zip(drawn, jobs, strict=True) if job[0] == split])
        for split, name in enumerate(SPLITS)
    }


def _draw_in_processes(
    jobs: list[tuple[int, int, int]], seed: int, workers: int, folder: Path
) -> list[NDArray[np.uint8]]:
    """Plain child processes: forking beside threads is unsafe, and spawning would run the caller's main module."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    files = [folder / f"{index}.npy" for index in range(len(jobs))]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for worker in range(workers):
            mine = [
                f"{seed},{s},{a},{b},{file}" for (s, a, b), file in list(zip(jobs, files, strict=True))[worker::workers]
            ]
            if mine:
                command = [sys.executable, "-m", "tinynas.data.scenes", *mine]
                running.append(
                    subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                )
        for process in running:
            _, errors = process.communicate()
            if process.returncode != 0:
                raise CheckError(f"scenes: a drawing process failed: {errors.decode(errors='replace').strip()[-400:]}")
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
    return [np.load(file) for file in files]
