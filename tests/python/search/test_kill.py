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

import pytest

pytest.importorskip("tinynas._supernet")


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


def test_a_killed_search_ends_as_an_undisturbed_one(small_search: list[str], tmp_path: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    _finish(small_search, calm)

    _kill_when(small_search, killed, _saved_again(killed))
    assert not (killed / "run" / "stage2.json").exists()
    measured = killed / "run" / "history.jsonl"
    _kill_when(small_search, killed, lambda: measured.exists() and measured.stat().st_size > 0)
    assert not (killed / "run" / "stage2.json").exists()
    _kill_when(small_search, killed, (killed / "run" / "model.json").exists)
    assert not (killed / "run" / "result.json").exists()
    _finish(small_search, killed)

    for name in ("arch.json", "stage2.json", "model.json"):
        assert _read(calm / "run" / name) == _read(killed / "run" / name), name
    assert (calm / "run" / "history.jsonl").read_bytes() == (killed / "run" / "history.jsonl").read_bytes()
