"""CIFAR-10 as its authors publish it: `cifar-10-batches-py/` with five training batches and a test batch."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.data.arrays import ArraySplit
from tinynas.data.augment import find_preset
from tinynas.data.base import DataSet
from tinynas.data.cache import hash_arrays, hash_parts
from tinynas.data.folder import FolderOptions
from tinynas.data.splitting import cut_off
from tinynas.errors import InputError

SIDE = 32
FOLDER = "cifar-10-batches-py"
_TRAIN_BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))
_SAFE_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _PlainUnpickler(pickle.Unpickler):
    """Only arrays and plain values: a pickle may otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _SAFE_NAMES:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a data file")
        return super().find_class(module, name)


def is_cifar(root: Path) -> bool:
    return any((folder / "test_batch").is_file() for folder in (root, root / FOLDER))


def load_cifar(root: Path, options: FolderOptions | None = None) -> DataSet:
    """CIFAR-10 from `root` or `root`/cifar-10-batches-py; val is cut off from the training batches."""
    options = options or FolderOptions()
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    classes = _class_names(folder / "batches.meta")
    parts = [_read_batch(folder / name, len(classes)) for name in _TRAIN_BATCHES]
    pictures = np.concatenate([part[0] for part in parts])
    labels = np.concatenate([part[1] for part in parts])
    test_pictures, test_labels = _read_batch(folder / "test_batch", len(classes))
    rng = np.random.default_rng([options.seed, 0x5911])
    left, cut = cut_off(labels, np.arange(len(labels), dtype=np.int64), options.val_part, rng)
    recipe = find_preset("small" if options.augmentation == "auto" else options.augmentation)
    content = hash_arrays({"train": pictures, "test": test_pictures, "labels": labels})
    return DataSet(
        name="cifar10",
        classes=classes,
        train=ArraySplit(pictures, labels, left, recipe),
        val=ArraySplit(pictures, labels, cut, recipe),
        test=ArraySplit(test_pictures, test_labels, None, recipe),
        max_resolution=min(SIDE, options.resolution or SIDE),
        fingerprint=hash_parts([content, options.seed, options.val_part]),
        notes=(f"val: {len(cut)} pictures were cut off from the training batches (seed {options.seed})",),
    )


def _unpickle(file: Path) -> dict[Any, Any]:
    try:
        content = _PlainUnpickler(io.BytesIO(file.read_bytes()), encoding="bytes").load()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error}") from error
    except Exception as error:  # unpickling damaged bytes raises nearly anything
        raise InputError(f"{file}: not a CIFAR-10 batch: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{file}: expected a CIFAR-10 batch (a dictionary), got {type(content).__name__}")
    return content


def _class_names(file: Path) -> tuple[str, ...]:
    names = _unpickle(file).get(b"label_names")
    if not isinstance(names, list) or len(names) < 2:
        raise InputError(f"{file}: expected a list of class names under 'label_names', got {type(names).__name__}")
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


def _read_batch(file: Path, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    content = _unpickle(file)
    data, labels = content.get(b"data"), np.asarray(content.get(b"labels", ()), dtype=np.int64)
    wanted = (len(labels), 3 * SIDE * SIDE)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != wanted:
        shape = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise InputError(f"{file}: expected uint8 data {wanted} for {len(labels)} labels, got {shape}")
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"{file}: expected labels 0..{classes - 1}, got {labels.min(initial=0)}..{labels.max(initial=0)}"
        )
    return np.ascontiguousarray(data.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)), labels
