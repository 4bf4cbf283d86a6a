"""The benchmark's two steps: both arms run, and their first gradients agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tinynas._supernet")

BENCH = Path(__file__).resolve().parents[3] / "bench" / "train_throughput.py"


@pytest.mark.parametrize("alone", [[], ["--alone"]])
def test_arms_compute_the_same(alone: list[str]) -> None:
    asked = ["--batch", "8", "--rounds", "1", "--resolution", "24", "--width", "0.5", "--json", *alone]
    done = subprocess.run([sys.executable, str(BENCH), *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    assert set(result["pictures_per_second"]) == {"tinynas", "eager"}
    assert set(result["ratio"]) == {"tinynas"}
    assert 0 < result["gradient_difference"] < 1e-2
