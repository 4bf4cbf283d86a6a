"""SIGKILL of the whole program in training, in stage 2 and in export: --resume ends as an undisturbed run does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

pytest.importorskip("tinynas._supernet")

STAGE = {"stride": 2, "kernels": [3, 5], "expansions": [2, 3]}
SPACE = {
    "name": "tiny",
    "classes": 2,
    "resolutions": [16, 20],
    "widths": [0.5, 1.0],
    "stem": {"channels": 8, "kernel": 3, "stride": 2},
    "first_block": {"channels": 8, "kernel": 3, "expansion": 1, "stride": 1},
    "stages": [{"channels": 16, "depths": [1, 2], **STAGE}, {"channels": 16, "depths": [1, 2], **STAGE}],
    "feature_mix": 0,
}
TRAIN = {
    "epochs": 12,
    "batch_size": 16,
    "checkpoint_seconds": 0.05,
    "calibration_pictures": 32,
    "finetune_epochs": 1,
}
SEARCH = {
    "samples_per_subspace": 100,
    "predictor": {"pairs": 24, "recheck": 4, "rounds": 1},
    "evolution": {"population": 20, "parents": 5, "crossovers": 10, "mutations": 10, "generations": 4},
    "finalists": 4,
}


def _draw(folder: Path) -> None:
    """Two classes: horizontal and vertical stripes in noise."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 96), ("val", 40), ("test", 40)):
        for label in ("across", "down"):
            place = folder / part / label
            place.mkdir(parents=True)
            for index in range(count):
                stripes = np.zeros((20, 20), np.float64)
                stripes[rng.integers(0, 4) :: 4] = 60
                picture = 60 + (stripes if label == "across" else stripes.T) + rng.normal(0, 30, (20, 20))
                grey = np.clip(picture, 0, 255).astype(np.uint8)
                Image.fromarray(np.repeat(grey[:, :, None], 3, 2)).save(place / f"{index}.png")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options of a small search, all but where it runs."""
    folder = tmp_path_factory.mktemp("inputs")
    _draw(folder / "data")
    options = ["--data", str(folder / "data"), "--sram", "6k", "--flash", "24k"]
    for name, value in (("space", SPACE), ("train", TRAIN), ("search", SEARCH)):
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(value), encoding="utf-8")
        options += [f"--{name}", str(path)]
    return options


def _command(inputs: list[str], runs: Path) -> list[str]:
    return [sys.executable, "-m", "tinynas", "search", *inputs, "--runs", str(runs), "--name", "run", "--resume"]


def _finish(inputs: list[str], runs: Path) -> None:
    done = subprocess.run(_command(inputs, runs), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _kill_when(inputs: list[str], runs: Path, reached: Callable[[], bool]) -> None:
    with subprocess.Popen(_command(inputs, runs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 300
        while not reached():
            assert process.poll() is None, "the search ended before the moment of the kill"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def _saved_again(runs: Path) -> Callable[[], bool]:
    """True once training has written its checkpoint a second time."""
    seen: set[int] = set()

    def reached() -> bool:
        seen.update(path.stat().st_mtime_ns for path in runs.glob(".cache/supernets/*/supernet.pt"))
        return len(seen) >= 2

    return reached


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_killed_search_ends_as_an_undisturbed_one(inputs: list[str], tmp_path: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    _finish(inputs, calm)

    _kill_when(inputs, killed, _saved_again(killed))
    assert not (killed / "run" / "stage2.json").exists()
    measured = killed / "run" / "history.jsonl"
    _kill_when(inputs, killed, lambda: measured.exists() and measured.stat().st_size > 0)
    assert not (killed / "run" / "stage2.json").exists()
    _kill_when(inputs, killed, (killed / "run" / "model.json").exists)
    assert not (killed / "run" / "result.json").exists()
    _finish(inputs, killed)

    for name in ("arch.json", "stage2.json", "model.json"):
        assert _read(calm / "run" / name) == _read(killed / "run" / name), name
    assert (calm / "run" / "history.jsonl").read_bytes() == (killed / "run" / "history.jsonl").read_bytes()
