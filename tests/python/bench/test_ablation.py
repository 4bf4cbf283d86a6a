"""The ablation and the fit of the latency model, on small networks."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench" / "cortex_m"))

import ablation
import calibrate

from tinynas.deploy.sample_networks import small_network


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)
def test_every_step_runs_and_saves(tmp_path: Path) -> None:
    graph = small_network(2)
    ways = [ablation.WAYS[0], ablation.WAYS[4]]
    first, last = (ablation.measure(graph, way, "cortex-m7", tmp_path / str(i)) for i, way in enumerate(ways))
    assert last.instructions < first.instructions
    assert last.sram_bytes <= max(first.sram_bytes, 32_000)  # what rows at once may always take


def test_the_fit_finds_the_factors() -> None:
    rng = np.random.default_rng(1)
    factors = np.array([0.7, 11.0, 2.0, 0.0, 300.0])

    def samples(count: int) -> list[calibrate.Sample]:
        features = [(float(m), float(o), float(i), float(r), 1.0) for m, o, i, r in rng.integers(100, 9999, (count, 4))]
        return [calibrate.Sample("pointwise", f, int(np.dot(factors, f))) for f in features]

    fits = calibrate.fit([*samples(40), calibrate.Sample("copy", (0.0, 10.0, 10.0, 1.0, 1.0), 50)])
    assert fits["pointwise"] == pytest.approx(factors, abs=1.0)
    assert abs(calibrate.error_of(fits, samples(5))) < 0.001
    # A kind that was never measured counts as one that moves values.
    assert calibrate.predict(fits, [calibrate.Sample("tile", (0.0, 10.0, 10.0, 1.0, 1.0), 1)]) == pytest.approx(50)


def test_other_cores_stay_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "TABLE", tmp_path / "table.json")
    calibrate.write_table({"cortex-m3": {"add": [1.0]}, "cortex-m7": {"x": [1.0]}})
    calibrate.write_table({"cortex-m7": {"add": [2.0]}})
    assert json.loads(calibrate.TABLE.read_text()) == {"cortex-m3": {"add": [1.0]}, "cortex-m7": {"add": [2.0]}}
