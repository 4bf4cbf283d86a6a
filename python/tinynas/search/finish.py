"""From a float graph to files that run: quantise, export, and the C project's outputs against the reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinynas.data import DataSet
from tinynas.data.base import Split
from tinynas.errors import CheckError
from tinynas.search.run_dir import write_atomic, write_json

if TYPE_CHECKING:
    import tinynas._core as _core

    from tinynas.export.cproject import CProject

CALIBRATION_PICTURES = 200


def pictures_of(split: Split, resolution: int, count: int | None = None, seed: int = 0) -> tuple[Any, Any]:
    """`count` pictures (all of them when None) of a split as uint8 [n, R, R, C], and their labels; drawn by seed."""
    indices = np.arange(len(split))
    if count is not None and count < len(split):
        indices = np.sort(np.random.default_rng(seed).choice(len(split), count, replace=False))
    return split.batch(indices, resolution)


def as_int8(pictures: NDArray[np.uint8]) -> NDArray[np.int8]:
    """What the quantised network is given: pixel - 128."""
    return (pictures.astype(np.int16) - 128).astype(np.int8)


def as_float(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the float network is given: (pixel - 128) / 128."""
    return ((pictures.astype(np.float32) - 128.0) / 128.0).astype(np.float32)


def quantise(
    float_graph: _core.Graph,
    data: DataSet,
    seed: int,
    formats: Sequence[str] = (),
    calibration_pictures: int = CALIBRATION_PICTURES,
) -> _core.Graph:
    """Post-training quantisation, calibrated on training pictures; int8, or in `formats` (one per operator)."""
    import tinynas._core as _core

    pictures, _ = pictures_of(data.train, resolution_of(float_graph), calibration_pictures, seed)
    return _core.quantize(float_graph, [as_float(pictures)], formats=list(formats))


def resolution_of(graph: _core.Graph) -> int:
    """Side of the square picture that the network reads."""
    return int(graph.tensors[graph.inputs[0]].shape[1])


@dataclass(frozen=True)
class Verified:
    """What running the C project showed."""

    accuracy: dict[str, float]
    """Of the C code's classes, by split; fractions."""
    pictures: dict[str, int]
    equal_pictures: int
    """Pictures whose outputs equal the reference interpreter's byte for byte: the whole validation set."""
    arena_bytes: int


def build_c(project: CProject, plan: _core.Plan) -> Path:
    """The host's program of a C project; CheckError when its compiled arena is not the plan's."""
    from tinynas.export.cproject import arena_in_object, build_host

    program = build_host(project)
    compiled = arena_in_object(project)
    if compiled != plan.arena_bytes:
        raise CheckError(f"{project.folder}: expected an arena of {plan.arena_bytes:,} B, compiled {compiled:,} B")
    return program


def run_c(
    project: CProject, program: Path, graph: _core.Graph, inputs: NDArray[np.int8], compared: int
) -> NDArray[Any]:
    """The program's outputs, flat for each of n pictures [n, outputs].

    CheckError when one of the first `compared` differs from the reference interpreter's.
    """
    import tinynas._core as _core

    from tinynas.export.cproject import run_host

    outputs = run_host(project, [inputs], program).outputs[0].reshape(len(inputs), -1)
    if compared > 0:
        expected = np.asarray(_core.run_batch(graph, [inputs[:compared]])[0]).reshape(-1, outputs.shape[1])
        same = (outputs[:compared] == expected).all(axis=1)
        if not same.all():
            raise CheckError(f"{project.folder}: picture {int(np.argmin(same))} differs from the reference interpreter")
    return outputs


def verify_c(project: CProject, graph: _core.Graph, plan: _core.Plan, splits: dict[str, Split]) -> Verified:
    """Builds the C project with the host's compiler and runs it over the splits.

    Raises CheckError when the compiled arena is not the plan's, or an output differs from the reference interpreter's
    (compared on the split "val").
    """
    program = build_c(project, plan)
    accuracy, counts = {}, {}
    for name, split in splits.items():
        pictures, labels = pictures_of(split, resolution_of(graph))
        outputs = run_c(project, program, graph, as_int8(pictures), len(pictures) if name == "val" else 0)
        accuracy[name] = float(np.mean(outputs.argmax(axis=1) == labels))
        counts[name] = len(pictures)
    return Verified(accuracy, counts, counts.get("val", 0), plan.arena_bytes)


def export_all(run: Path, graph: _core.Graph, plan: _core.Plan) -> CProject:
    """Writes model.json, model.onnx, the C project (portable kernels) and, with 8-bit activations, model.tflite."""
    from tinynas.export.cproject import export_c
    from tinynas.export.onnx import to_onnx
    from tinynas.tflite import save_tflite

    write_atomic(run / "model.json", graph.to_json())
    to_onnx(graph, run / "model.onnx")
    if all(tensor.constant or tensor.dtype != "s4" for tensor in graph.tensors):  # no 4-bit activations there
        save_tflite(graph, run / "model.tflite")
    write_json(run / "plan.json", json.loads(plan.to_json()))
    return export_c(graph, plan, run / "c")
