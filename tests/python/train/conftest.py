"""A small space and a small data set on which training is quick."""

from __future__ import annotations

import numpy as np
import pytest

from tinynas.config.space import SpaceConfig
from tinynas.data.arrays import ArraySplit
from tinynas.data.base import DataSet

pytest.importorskip("torch")
pytest.importorskip("tinynas._supernet")


@pytest.fixture(scope="session")
def space() -> SpaceConfig:
    """Every elastic dimension, a block with and one without residual, odd maps at 18 pixels."""
    stage = {"kernels": [3, 5, 7], "expansions": [2, 3, 4]}
    return SpaceConfig.model_validate(
        {
            "name": "small",
            "classes": 3,
            "resolutions": [16, 18],
            "widths": [0.5, 1.0],
            "stem": {"channels": 16, "kernel": 3, "stride": 1},
            "first_block": {"channels": 16, "kernel": 3, "expansion": 1, "stride": 1},
            "stages": [
                {"channels": 24, "stride": 2, "depths": [1, 2], **stage},
                {"channels": 32, "stride": 2, "depths": [1, 2], **stage},
            ],
            "feature_mix": 40,
        }
    )


def _split(count: int, seed: int) -> ArraySplit:
    """Noise with a brighter band, whose place is the class."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, count)
    pictures = generator.integers(0, 120, (count, 18, 18, 3))
    for picture, label in zip(pictures, labels, strict=True):
        picture[6 * label : 6 * label + 6] += 80
    return ArraySplit(pictures.astype(np.uint8), labels.astype(np.int64))


def make_data() -> DataSet:
    """Three classes of 18x18 pictures."""
    return DataSet(
        "bands", ("top", "middle", "bottom"), _split(192, 0), _split(60, 1), _split(60, 2), 18, fingerprint="bands"
    )


@pytest.fixture(scope="session")
def data() -> DataSet:
    """The small set of pictures."""
    return make_data()
