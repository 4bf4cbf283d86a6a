"""Training in several processes under `torchrun`: every process trains the same subnets on its part of each batch.

One process is the ordinary case; then everything here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tinynas.errors import InputError

Value = TypeVar("Value")


@dataclass(frozen=True)
class World:
    """This process's place among those that train together."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def is_first(self) -> bool:
        """The process that writes checkpoints and reports."""
        return self.rank == 0

    def check_batch(self, batch_size: int) -> None:
        """InputError when a batch cannot be dealt out evenly (the mean over processes would not be the batch's)."""
        if batch_size % self.size:
            raise InputError(f"batch_size: expected a multiple of the {self.size} processes, got {batch_size}")

    def average_gradients(self, parameters: Sequence[tuple[str, Any]]) -> None:
        """Replaces every gradient by its mean over the processes, in one all-reduce."""
        if self.size == 1:
            return
        import torch
        from torch import distributed

        gradients = [value.grad for _, value in parameters if value.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def from_first(self, value: Value) -> Value:
        """The first process's `value`, in every process."""
        if self.size == 1:
            return value
        from torch import distributed

        box = [value]
        distributed.broadcast_object_list(box, src=0, device=self.device if self.device != "cpu" else None)
        return box[0]


_ALONE = World()
_here = _ALONE


def world() -> World:
    """Of this process."""
    return _here


@contextmanager
def joined(device: str = "cpu") -> Iterator[World]:
    """Joins the processes that `torchrun` started: gloo on the CPU, nccl on CUDA, where each takes the GPU of its local
    rank. Without torchrun: the process alone, on `device`."""
    global _here
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device=device)
        return
    import torch
    from torch import distributed

    cuda = device.startswith("cuda")
    if cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if cuda else "gloo")
    _here = World(distributed.get_rank(), size, device)
    try:
        yield _here
    finally:
        _here = _ALONE
        distributed.destroy_process_group()
