"""What every verb shares: where text goes, how errors end the program.

With --json, standard output carries the JSON value alone; tables, progress and messages go to standard error.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from tinynas.errors import TinynasError

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON value on standard output, all else on standard error.")
]

P = ParamSpec("P")
R = TypeVar("R")

log = Console(stderr=True, highlight=False)


def reports_errors(verb: Callable[P, R]) -> Callable[P, R]:
    """Ends the program with one line and the error's exit code instead of a traceback."""

    @functools.wraps(verb)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except TinynasError as error:
            log.print(f"[bold red]error[/]: {error}", markup=True, soft_wrap=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            log.print("interrupted; --resume continues the run")
            raise typer.Exit(130) from None

    return wrapped


def emit(as_json: bool, value: Any, *tables: Table | str) -> None:
    """Prints `value` as JSON on standard output, or the tables when JSON was not asked for."""
    if as_json:
        sys.stdout.write(json.dumps(value, indent=1) + "\n")
        return
    console = Console(highlight=False)
    for table in tables:
        console.print(table)


def table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """A rich table; the first column is aligned left, the others right."""
    result = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        result.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        result.add_row(*row)
    return result
