"""What training tells while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@dataclass(frozen=True)
class TrainProgress:
    """The state after a step."""

    step: int
    """Steps done, of `total_steps`."""
    total_steps: int
    epoch: float
    """Passes over the training pictures so far."""
    loss: float
    """Label loss of the largest subnet, smoothed over about 20 steps."""
    accuracy: float
    """Of the largest subnet on its training batches, smoothed alike; a fraction."""
    learning_rate: float
    pictures_per_second: float
    """Training pictures, each seen by every subnet of the step."""
    seconds_left: float


ProgressCallback = Callable[[TrainProgress], None]

SECONDS_BETWEEN_LINES = 30.0
"""Where the output is no terminal, and so shows no bar."""


class RichProgress:
    """A progress bar on a terminal, a line now and then in a file; a context manager that is called with every
    TrainProgress."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[state]}"),
        )
        self._console = console or Console(stderr=True)
        self._progress = Progress(*columns, TimeRemainingColumn(), console=self._console)
        self._title = title
        self._last_line = time.monotonic()
        self._task = self._progress.add_task(title, total=None, state="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, progress: TrainProgress) -> None:
        state = (
            f"epoch {progress.epoch:.1f}  loss {progress.loss:.3f}  accuracy {100 * progress.accuracy:.1f} %  "
            f"{progress.pictures_per_second:.0f} pictures/s"
        )
        self._progress.update(self._task, total=progress.total_steps, completed=progress.step, state=state)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            share = f"step {progress.step} of {progress.total_steps}"
            left = f"{progress.seconds_left / 60:.0f} min left"
            self._console.print(f"{self._title}: {share}  {state}  {left}", soft_wrap=True)
