"""Training: epochs, data loading and checkpoints around the C++ step, and what is read from a trained supernet.

Importing it needs no torch; the functions say in one line when it is missing.
"""

from tinynas.config.train import TrainConfig, load_train
from tinynas.train.progress import RichProgress, TrainProgress

__all__ = [
    "RichProgress",
    "SupernetEvaluator",
    "TrainConfig",
    "TrainProgress",
    "TrainedNet",
    "finetune",
    "load_train",
    "save_half",
    "train_alone",
    "train_supernet",
]

_LAZY = {
    "SupernetEvaluator": "tinynas.train.evaluator",
    "TrainedNet": "tinynas.train.alone",
    "finetune": "tinynas.train.alone",
    "save_half": "tinynas.train.checkpoint",
    "train_alone": "tinynas.train.alone",
    "train_supernet": "tinynas.train.loop",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
