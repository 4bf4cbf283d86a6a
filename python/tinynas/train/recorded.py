"""A training step on a GPU that is recorded once and replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_WARM_UP = 3
"""Steps before the recording, in which libraries choose their kernels and take their memory."""


class RecordedStep:
    """Steps of one network as a CUDA graph.

    A step has about a thousand kernels; in batches of a few hundred pictures, launching them one by one takes the
    processor several times as long as they run. For one arch, one size of batch and one teacher; the results are those
    of the same calls made one by one.
    """

    def __init__(
        self, step: Any, archs: list[str], teacher: Callable[[Any], Any] | None, pictures: Any, labels: Any
    ) -> None:
        """`step`: the TrainStep; `teacher`: logits of pictures; `pictures` and `labels`: a batch on the GPU of the size
        that all will have."""
        import torch

        self._step, self._archs, self._teacher = step, archs, teacher
        self._pictures, self._labels = pictures.clone(), labels.clone()
        self._rate = torch.zeros((), device=pictures.device)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(pictures.device):
            self._warm_up()
            with torch.cuda.graph(self._graph):
                self._losses = self._run()

    def _warm_up(self) -> None:
        """Steps at the rate zero, so that the weights stay, whose traces in the optimiser are wiped out."""
        import torch

        state = [*self._step.momentum, *self._step.average]
        kept = [value.clone() for value in state]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                self._run()
            for value, before in zip(state, kept, strict=True):
                value.copy_(before)
        torch.cuda.current_stream().wait_stream(stream)

    def _run(self) -> Any:
        self._step.clear_gradients()
        teacher = None if self._teacher is None else self._teacher(self._pictures)
        losses = self._step.accumulate_there(self._pictures, self._labels, self._archs, teacher)
        self._step.apply_there(self._rate)
        return losses

    def __call__(self, pictures: Any, labels: Any, rate: float) -> tuple[float, float, int]:
        """One step; what TrainStep.accumulate() returns."""
        self._pictures.copy_(pictures)
        self._labels.copy_(labels)
        self._rate.fill_(rate)
        self._graph.replay()
        first, others, correct = self._losses.tolist()
        return first, others, int(correct)
