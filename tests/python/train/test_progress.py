"""What training tells where there is no terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tinynas.train import RichProgress, TrainProgress
from tinynas.train import progress as module


def told(step: int) -> TrainProgress:
    return TrainProgress(
        step=step,
        total_steps=400,
        epoch=step / 100,
        loss=0.5,
        accuracy=0.75,
        learning_rate=0.1,
        pictures_per_second=200.0,
        seconds_left=600.0,
    )


def test_a_file_gets_a_line_every_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    text = io.StringIO()
    with RichProgress("training", Console(file=text, width=200)) as progress:
        for step in range(0, 300, 100):
            now[0] += 20
            progress(told(step))
    lines = [line for line in text.getvalue().splitlines() if line.startswith("training: ")]
    assert lines == [
        "training: step 100 of 400  epoch 1.0  loss 0.500  accuracy 75.0 %  200 pictures/s  10 min left",
    ]
