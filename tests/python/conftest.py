"""A small search that takes seconds: its pictures, space and settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

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
    "qat_epochs": 1,
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


@pytest.fixture(scope="session")
def small_search(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options of a small search, all but where it runs."""
    folder = tmp_path_factory.mktemp("inputs")
    _draw(folder / "data")
    options = ["--data", str(folder / "data"), "--sram", "6k", "--flash", "24k"]
    for name, value in (("space", SPACE), ("train", TRAIN), ("search", SEARCH)):
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(value), encoding="utf-8")
        options += [f"--{name}", str(path)]
    return options
