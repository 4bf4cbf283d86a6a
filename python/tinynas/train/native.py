"""The one place that imports torch and the extension module that is linked against it."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from tinynas.errors import CheckError, InputError

TORCH_VERSION = "2.13.0"
"""As pinned in pyproject.toml: the extension is linked against this one."""

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
"""Read when torch is loaded. Threads that spin while they wait take the cores from those that prepare the batches:
passive ones train four times as fast on two cores."""


def supernet_module() -> ModuleType:
    """`tinynas._supernet`. CheckError, in one line, says what to install or build where it cannot be loaded."""
    try:
        import torch
    except ImportError as error:
        raise CheckError(f"training needs PyTorch: pip install torch=={TORCH_VERSION}, then make build") from error
    version = torch.__version__.split("+")[0]
    if version != TORCH_VERSION:
        raise CheckError(
            f"training needs PyTorch {TORCH_VERSION}, {version} is installed: "
            f"pip install torch=={TORCH_VERSION}, then make build"
        )
    try:
        module = importlib.import_module("tinynas._supernet")
    except ImportError as error:
        raise CheckError(
            f"tinynas was built without PyTorch ({error}): make build, or pip install --no-build-isolation ."
        ) from error
    return module


def check_device(device: str) -> None:
    """InputError where PyTorch cannot train on `device` (cpu, cuda, cuda:1, ...)."""
    if device == "cpu":
        return
    supernet_module()
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {device} (--device, or the recipe's): PyTorch cannot use it: {str(error).splitlines()[0]}"
        ) from error
