"""The fuzz target: a minute of it, and that it would notice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import fuzz_tflite  # noqa: E402


def test_a_minute(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(SCRIPTS / "fuzz_tflite.py"),
        "--seconds",
        "60",
        "--seed",
        "7",
        "--save",
        str(tmp_path),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 failed" in result.stdout
    assert " 0 ran" not in result.stdout


def test_failures_hangs_and_deaths_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases: list[int] = []

    def make_case(seed: int, case: int, files: list[bytes]) -> bytes:
        return bytes([case])

    def run_case(data: bytes) -> str:
        cases.append(data[0])
        if data[0] == 2:
            raise ValueError("an error of another class")
        if data[0] == 4:
            time.sleep(60)
        while data[0] == 5:
            pass
        if data[0] == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        return "refused"

    monkeypatch.setattr(fuzz_tflite, "make_case", make_case)
    monkeypatch.setattr(fuzz_tflite, "run_case", run_case)
    monkeypatch.setattr(fuzz_tflite, "seed_files", list)
    monkeypatch.setattr(fuzz_tflite, "CASE_SECONDS", 0.2)
    monkeypatch.setattr(fuzz_tflite, "WALL_SECONDS", 3.0)
    run = fuzz_tflite.Run(1, 9.0, tmp_path)
    while time.monotonic() < run.end:
        run.watch()
    said = capsys.readouterr().out
    assert run.counts["failed"] == 4
    assert "case 2: " in said
    assert "an error of another class" in said
    assert "case 4: no end after 3 s" in said
    assert "case 5: took more than 0.2 s of processor time" in said
    assert "case 6: died (signal 15)" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"seed1_case{n}.tflite" for n in (2, 4, 5, 6)]
