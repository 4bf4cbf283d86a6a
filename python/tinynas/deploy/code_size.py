"""Flash before anything is compiled: constants exactly, code from a table of measured sizes.

`code_sizes.json` holds, per core, what every kernel function adds to a linked firmware, what application and start-up
take, and what an operator costs in the generated network file; `python -m tinynas.deploy.measure_code` writes it again.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinynas.export.cproject import CProject, require_tool

TABLE = Path(__file__).with_name("code_sizes.json")
LIBRARY = ("memcpy", "memset")
"""Functions of the C library that generated code may call."""


@dataclass(frozen=True)
class PredictedFlash:
    """Bytes of constants and code; same_compiler: the compiler here is the one that the table was measured with."""

    weights: int
    code: int
    same_compiler: bool

    @property
    def total(self) -> int:
        return self.weights + self.code


def compiler_version() -> str:
    """The first line of arm-none-eabi-gcc --version."""
    gcc = require_tool("arm-none-eabi-gcc", "gcc-arm-none-eabi libnewlib-arm-none-eabi")
    done = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def functions_of(project: CProject) -> set[str]:
    """Functions of engine and library that a project calls from its network file, or that its parameters name.

    Those that only a build with layer checks calls (tn_check_...) do not count.
    """
    pattern = rf"\b(?:tn_(?!check_)\w+|{'|'.join(LIBRARY)})(?=\()"
    called = re.findall(pattern, (project.folder / f"{project.name}.c").read_text())
    return set(called) | {name for operator in project.manifest["operators"] for name in operator["functions"]}


def kernel_bytes(entry: dict[str, Any], project: CProject) -> int:
    """Code of all engine functions that a project needs; sections that several of them need count once."""
    sections: dict[str, int] = {}
    for name in functions_of(project):
        sections |= entry["kernels"].get(name, {})
    return sum(sections.values())


def features(manifest: dict[str, Any]) -> dict[str, int]:
    """What the size of the generated network file is a linear function of."""
    operators = manifest["operators"]
    pixels = [operator for operator in operators if operator["by_pixels"]]
    return {
        "one": 1,
        "operators": len(operators),
        "kernels": len({operator["kernel"] for operator in operators}),
        "rings": manifest["rings"],
        "segments": manifest["segments"],
        "inputs": sum(operator["inputs"] for operator in operators),
        "waits": sum(operator["waits"] for operator in operators),
        "readers": sum(operator["readers"] for operator in operators),
        "accumulating": sum(operator["accumulates"] for operator in operators),
        "batches": sum(operator["rows_at_once"] > 1 for operator in operators),
        "pixel_operators": len(pixels),
        "pixel_inputs": sum(operator["inputs"] for operator in pixels),
        "pixel_waits": sum(operator["waits"] for operator in pixels),
        "pixel_windows": sum(operator["kernel"].endswith("_pixel") for operator in pixels),
        "pixel_bands": sum(operator["bands"] for operator in pixels),
        "pixel_image": any(operator["by_pixels"] and operator["segment"] == 0 for operator in operators),
    }


def predict_flash(project: CProject, core: str) -> PredictedFlash:
    """Constants and code of a project on a core; code 0 where the table does not know the core (the host)."""
    table = json.loads(TABLE.read_text()) if TABLE.is_file() else {"cores": {}}
    entry = table["cores"].get(core)
    if entry is None:
        return PredictedFlash(project.weights_bytes, 0, False)
    operators = project.manifest["operators"]
    params = sum(entry["params"].get(operator["params_type"], 0) * operator["params"] for operator in operators)
    code = kernel_bytes(entry, project)
    network = sum(entry["network"].get(key, 0.0) * value for key, value in features(project.manifest).items())
    same = table["compiler"] == compiler_version()
    return PredictedFlash(project.weights_bytes + params, code + round(network), same)
