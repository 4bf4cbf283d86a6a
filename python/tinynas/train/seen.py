"""Pictures as a training step sees them: augmented, on its device, and mixed where the recipe asks for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynas.config.train import TrainConfig
from tinynas.data.base import DataSet
from tinynas.train.batches import Batch, BatchOrder, prepare


def seen_pictures(data: DataSet, config: TrainConfig, resolution: int, count: int) -> list[Any]:
    """Batches as a training of this config sees them, augmented and mixed, on its device: the first `count` pictures or
    a few more."""
    order = BatchOrder(len(data.train), config.batch_size, config.seed)
    steps = range(-(-min(count, len(data.train)) // order.batch_size))
    batches = prepare(data.train, order, steps, lambda _step: resolution, config.seed)
    return [as_seen(batch, config, len(data.classes), config.device)[0] for batch in batches]


def as_seen(batch: Batch, config: TrainConfig, classes: int, device: str) -> tuple[Any, Any]:
    """A step's pictures and labels on the device, mixed where the config asks for it."""
    import torch

    pictures, labels = torch.from_numpy(batch.pictures).to(device), torch.from_numpy(batch.labels).to(device)
    if config.mixup == 0:
        return pictures, labels
    return mix(pictures, labels, classes, config.mixup, np.random.default_rng((config.seed, 3, batch.step)))


def mix(pictures: Any, labels: Any, classes: int, alpha: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """Pictures blended with others of the batch (uint8), and the classes' shares [n, classes] that follow."""
    import torch

    count, device = len(labels), labels.device
    share = torch.from_numpy(rng.beta(alpha, alpha, count).astype(np.float32)).to(device)
    other = torch.from_numpy(rng.permutation(count)).to(device)
    mixed = torch.lerp(pictures[other].float(), pictures.float(), share[:, None, None, None])
    shares = torch.nn.functional.one_hot(labels, classes).float()
    return mixed.round().to(torch.uint8), torch.lerp(shares[other], shares, share[:, None])
