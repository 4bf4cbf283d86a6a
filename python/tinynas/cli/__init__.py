"""The command line: `python -m tinynas VERB`."""

from __future__ import annotations

import typer

from tinynas.cli.boards import boards
from tinynas.cli.deploy import deploy
from tinynas.cli.evaluate import evaluate
from tinynas.cli.export import export
from tinynas.cli.plan import plan
from tinynas.cli.profile import profile
from tinynas.cli.search import search
from tinynas.cli.space import space
from tinynas.cli.train import train

app = typer.Typer(
    name="tinynas",
    help="Finds, trains and ships neural networks for microcontrollers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (search, space, train, profile, export, deploy, plan, boards):
    app.command()(verb)
app.command("eval")(evaluate)


def main() -> None:
    """Entry point of the installed `tinynas` command."""
    app()
