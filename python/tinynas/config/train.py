"""Settings of training (configs/train/*.yaml)."""

from __future__ import annotations

import os
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tinynas.config.loader import Config, find_config, load_yaml

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class TrainConfig(Config):
    """How a network or supernet is trained. Exactly one of `epochs` and `minutes` is given."""

    recipe: Literal["sandwich", "ofa", "mcunet"] = "sandwich"
    """Which phases and subnets (train/recipes.py)."""
    epochs: Annotated[float, Field(gt=0)] | None = None
    """Passes over the training pictures."""
    minutes: Annotated[float, Field(gt=0)] | None = None
    """Time to spend: the steps that fit are planned once, from a few timed ones, and kept when the run is resumed."""
    batch_size: Annotated[int, Field(ge=2)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    """At its peak, after the warm-up; then it falls along a cosine to zero."""
    warmup: Share = 0.05
    """Share of all steps."""
    momentum: Share = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 3e-5
    label_smoothing: Share = 0.1
    clip_norm: Annotated[float, Field(ge=0)] = 1.0
    """Bound of the whole gradient's norm; 0: none."""
    ema_decay: Share = 0.0
    """Of the averaged weights that are evaluated instead of the last ones; 0: none."""
    random_subnets: Annotated[int, Field(ge=0)] = 2
    """Sandwich: drawn per step, besides the largest and the smallest."""
    largest_first: Share = 0.0
    """Sandwich: share of the steps, at the start, that train the largest subnet alone; then its channels are sorted by
    importance, and the four subnets of every step begin from what it has learnt."""
    distillation: Literal["alpha", "soft", "none"] = "alpha"
    kernel_transforms: bool = True
    seed: Annotated[int, Field(ge=0)] = 0
    device: str = "cpu"
    mixed_precision: bool = True
    """On CUDA: autocast to bfloat16."""
    workers: Count = 1
    """Threads or processes that prepare batches ahead."""
    worker_kind: Literal["threads", "processes"] = "threads"
    augmentation: str = "auto"
    """A preset of the data's augmentations; auto: the one that suits the data."""
    mixup: Annotated[float, Field(ge=0)] = 0.0
    """Every picture is blended with another of its batch, by a share drawn from Beta(mixup, mixup), and so are their
    labels (Zhang et al., mixup, 2018); 0: none."""
    checkpoint_seconds: Annotated[float, Field(gt=0)] = 60.0
    tensorboard: bool = False
    calibration_pictures: Count = 1000
    """Training pictures from which BatchNorm statistics are measured, of a subnet or of the finetuned network."""
    finetune_epochs: Annotated[float, Field(ge=0)] = 3.0
    """For the winner, after the search."""
    finetune_learning_rate: Annotated[float, Field(gt=0)] = 0.02
    finetune_ema_decay: Share = 0.0
    """`ema_decay` of the finetuning: averages of weights at a rate that stays high generalise better than the last ones
    (Izmailov et al., Averaging weights leads to wider optima, 2018)."""
    label_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of the label loss, in the loss of a subnet that learns from a teacher."""
    finetune_label_share: Annotated[float, Field(ge=0, le=1)] = 0.3
    """`label_share` of the finetuning, whose teacher is not much better than the winner; 1: no teacher is run."""
    qat_epochs: Annotated[float, Field(ge=0)] = 3.0
    """Of quantisation-aware training, after the fine-tuning; 0: none, scales are calibrated."""
    qat_learning_rate: Annotated[float, Field(gt=0)] = 0.002
    qat_start: Literal["ptq", "lsq"] = "ptq"
    """First step sizes: those of post-training quantisation, which lose least, or LSQ's 2 <|v|> / sqrt(Q_P)."""

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.epochs is None) == (self.minutes is None):
            raise ValueError("expected exactly one of epochs and minutes")
        if self.minutes is not None and (self.recipe != "sandwich" or self.largest_first > 0):
            several = "largest_first" if self.recipe == "sandwich" else f"the recipe {self.recipe}"
            raise ValueError(f"expected epochs, not minutes, for {several}: its phases differ in cost")
        return self


FREE_KEYS = {"workers", "worker_kind", "checkpoint_seconds", "tensorboard", "device"} | {
    key for key in TrainConfig.model_fields if key.startswith(("finetune_", "qat_"))
}
"""What a supernet's weights do not depend on: it may change between a training and its resumption."""


def load_train(name_or_path: str | os.PathLike[str]) -> TrainConfig:
    """A bundled training config by name, or a YAML file. InputError names the file and the key."""
    return load_yaml(find_config("train", name_or_path), TrainConfig)
