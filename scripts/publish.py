"""Publishes trained networks under models/, each with the model card that says what it is and what was measured.

python scripts/publish.py RUN models/NAME             the winner of a finished search: int8 and float weights, arch, and
                                                      what `search --init` and `--teacher` go on from (half precision)
python scripts/publish.py SUPERNET.pt models/NAME     a trained supernet in half precision, to search in at once
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import tinynas._core as _core
import typer

from tinynas.cli.output import log, reports_errors
from tinynas.config.train import FREE_KEYS
from tinynas.errors import InputError
from tinynas.search.run_dir import read_json, write_json
from tinynas.search.supernets import find_supernet
from tinynas.train.alone import FINETUNED, load_finetuned
from tinynas.train.checkpoint import Checkpoint, load, save_half

WINNER_FILES = ("arch.json", "model.json", "float_model.json")


def recipe_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What of the training's settings decides its result."""
    return {key: value for key, value in checkpoint.config.items() if key not in FREE_KEYS}


def publish_winner(run: Path, out: Path) -> None:
    """The winner of the search in `run`."""
    result = read_json(run / "result.json")
    supernet = load(find_supernet(run))
    finetuning = load_finetuned(run)[1] if result["finetuned"] else None
    config = read_json(run / "config.json")
    recipes = {"supernet": recipe_of(supernet), "finetuning": finetuning and recipe_of(finetuning)}
    if config["init"]:
        recipes["earlier_finetunings"] = [recipe_of(load_finetuned(Path(run))[1]) for run in config["init"]]
    if config["teacher"]:
        recipes["teacher"] = recipe_of(load_finetuned(Path(config["teacher"]))[1])
    cost, accuracy = result["cost"], result["accuracy"]
    for name in WINNER_FILES:
        shutil.copyfile(run / name, out / name)
    (out / FINETUNED).unlink(missing_ok=True)
    if finetuning:
        save_half(run / FINETUNED, out / FINETUNED)
    write_json(
        out / "card.json",
        {
            "data": result["data"],
            "synthetic": result["synthetic"],
            "recipe": recipes,
            "image_passes": {"supernet": supernet.pictures, "finetuning": finetuning.pictures if finetuning else 0},
            "accuracy_float": round(100 * accuracy["float_test"], 4),
            "accuracy_int8": round(100 * accuracy["int8_c_test"], 4),
            "pictures": result["pictures"]["test"],
            "budget": config["budget"],
            "schedule": cost["schedule"],
            "macs": cost["macs"],
            "params": cost["params"],
            "sram_bytes": cost["sram_bytes"],
            "flash_bytes": cost["flash_bytes"],
            "measure": f"python -m tinynas eval models/{out.name} --data DIR --json",
        },
    )


def publish_supernet(checkpoint: Path, out: Path) -> None:
    """A supernet, for `search --supernet` and `train --init`."""
    state = load(checkpoint)
    if state.arch is not None or not state.done:
        raise InputError(f"{checkpoint}: expected a supernet whose training has ended")
    save_half(checkpoint, out / "supernet.pt")
    kept = f"models/{out.name}/supernet.pt"
    weights = sum(value.numel() for value in state.weights.values())
    space = _core.SearchSpace.from_json(state.space)
    write_json(
        out / "card.json",
        {
            "space": json.loads(space.to_json()),
            "recipe": recipe_of(state),
            "image_passes": state.pictures,
            "seconds": round(state.seconds, 1),
            "params": weights,
            "search": f"python -m tinynas search --supernet {kept} --data DIR --sram 64k --flash 256k",
        },
    )


@reports_errors
def main(
    source: Annotated[Path, typer.Argument(help="A finished search's folder, or a supernet's checkpoint.")],
    out: Annotated[Path, typer.Argument(help="models/NAME.")],
) -> None:
    """Publish a trained network with its model card."""
    out.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        publish_winner(source, out)
    else:
        publish_supernet(source, out)
    log.print(f"{out}: {', '.join(sorted(p.name for p in out.iterdir()))}")


if __name__ == "__main__":
    typer.run(main)
