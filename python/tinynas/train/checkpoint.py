"""Checkpoints: one file, replaced atomically, that says all of a run's state."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinynas.errors import InputError

FORMAT = 1


@dataclass
class Checkpoint:
    """A run's state. Tensors are on the CPU; their names are the supernet's parameters'."""

    space: str
    """JSON of the (whole) search space."""
    config: dict[str, Any]
    """TrainConfig as JSON values."""
    total_steps: int
    subspace: tuple[int, float] | None = None
    """(resolution, width) where only one subspace is trained."""
    data: str = ""
    """Fingerprint of the data set."""
    step: int = 0
    seconds: float = 0.0
    """Spent in training, over all resumptions."""
    pictures: int = 0
    """Training pictures seen, each by every subnet of its step."""
    arch: str | None = None
    """JSON of the arch where a network of its own is trained; `space` is then the one that holds only it."""
    parameters: dict[str, Any] = field(default_factory=dict)
    momentum: dict[str, Any] = field(default_factory=dict)
    average: dict[str, Any] = field(default_factory=dict)
    """Moving average of the parameters; empty where the config has none."""

    @property
    def done(self) -> bool:
        """Training has reached its end."""
        return self.step >= self.total_steps

    @property
    def weights(self) -> dict[str, Any]:
        """What is evaluated: the average where there is one."""
        return self.average or self.parameters


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Writes beside, then renames: a reader, or a kill, finds the old file or the new one, never a part."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            torch.save({"format": FORMAT} | vars(checkpoint), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path) -> Checkpoint:
    """InputError names the file where it is none of ours, or of another version."""
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: expected a checkpoint of tinynas: {error.strerror}") from error
    except Exception as error:  # PyTorch's own words advise to load it unsafely
        raise InputError(f"{path}: expected a checkpoint of tinynas, got a file that PyTorch cannot read") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(f"{path}: expected a checkpoint of tinynas, format {FORMAT}")
    try:
        return Checkpoint(**content)
    except TypeError as error:
        raise InputError(f"{path}: not a complete checkpoint: {error}") from error


def copy_tensors(source: dict[str, Any], target: dict[str, Any], path: Path) -> None:
    """Copies values by name into `target`'s tensors. InputError where names or shapes differ."""
    import torch

    if source.keys() != target.keys():
        odd = sorted(source.keys() ^ target.keys())[0]
        raise InputError(f"{path}: the weights are not this space's: {odd} is on one side only")
    with torch.no_grad():
        for name, tensor in target.items():
            if tensor.shape != source[name].shape:
                raise InputError(
                    f"{path}: {name}: expected shape {tuple(tensor.shape)}, got {tuple(source[name].shape)}"
                )
            tensor.copy_(source[name])


def save_half(checkpoint: Path, out: Path) -> None:
    """The evaluated weights alone, in half precision: what a folder of models keeps."""
    import torch

    content = load(checkpoint)
    content.parameters = {name: value.to(torch.float16) for name, value in content.weights.items()}
    content.momentum = {}
    content.average = {}
    save(content, out)
