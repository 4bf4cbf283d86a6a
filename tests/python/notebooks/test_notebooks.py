"""Every notebook runs from top to bottom, and shows what its text says."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("tinynas._core")

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"


def execute(name: str) -> Any:
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
    ).execute()
    return notebook


def printed(notebook: Any) -> str:
    return "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))


def pictures(notebook: Any) -> list[Image.Image]:
    data = [out.get("data", {}).get("image/png") for cell in notebook.cells for out in cell.get("outputs", [])]
    return [Image.open(io.BytesIO(base64.b64decode(text))).convert("L") for text in data if text]


@pytest.mark.slow
def test_flops_distributions() -> None:
    notebook = execute("flops_distributions.ipynb")
    text = printed(notebook)
    assert "108 subspaces" in text
    assert "stm32f746: w0.5-r176" in text  # the released network's subspace
    figures = pictures(notebook)
    assert len(figures) == 7
    for figure in figures:
        dark, light = figure.getextrema()
        assert dark < 100 and light > 240 and min(figure.size) > 150
