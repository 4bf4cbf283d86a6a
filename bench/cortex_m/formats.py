"""One network in the formats w8a8, w4a8 and w4a4: instructions, arena and Flash on an emulated core.

    python bench/cortex_m/formats.py MODEL.tflite [--core cortex-m7] [--out formats.json]

The model's int8 weights are taken as real numbers and quantised anew, calibrated on seeded noise: shapes and costs are
the network's, its accuracy is not looked at. Every firmware's output is compared with the reference interpreter.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "python")]

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from one_run import run_once  # noqa: E402

from tinynas import _core  # noqa: E402
from tinynas.deploy.boards import MACHINES  # noqa: E402
from tinynas.export.cproject import export_c  # noqa: E402
from tinynas.models import load_model  # noqa: E402
from tinynas.tflite.ir import GraphTensor, Quantization, from_json, to_json  # noqa: E402

FORMATS = ("w8a8", "w4a8", "w4a4")
CALIBRATION_PICTURES = 16


@dataclass(frozen=True)
class Measured:
    """One format's figures, bytes; the image is streamed."""

    format: str
    instructions: int
    arena_bytes: int
    activation_bytes: int
    scratch_bytes: int
    weights_bytes: int
    code_bytes: int
    flash_bytes: int


def real_values(tensor: GraphTensor) -> NDArray[np.float32]:
    """Of an int8 or int32 constant with one scale, or one per entry of its axis."""
    kind = {"s8": np.int8, "s32": np.int32}[tensor.dtype]
    values = np.frombuffer(tensor.data, kind).reshape(tensor.shape).astype(np.float64)
    quantization = tensor.quantization
    sizes = [1] * len(tensor.shape)
    sizes[quantization.axis] = -1 if len(quantization.scale) > 1 else 1
    return (values * np.asarray(quantization.scale).reshape(sizes)).astype(np.float32)


def float_network(graph: _core.Graph) -> _core.Graph:
    """The float network whose rounding an int8 one is."""
    ir = from_json(graph.to_json())
    for tensor in ir.tensors:
        if tensor.constant and tensor.dtype in ("s8", "s32") and tensor.quantization.scale:
            tensor.data = real_values(tensor).tobytes()
            tensor.dtype = "f32"
        elif not tensor.constant and tensor.dtype == "s8":
            tensor.dtype = "f32"
        tensor.quantization = Quantization()
    return _core.Graph.from_json(to_json(ir))


def in_format(network: _core.Graph, form: str, *, pictures: int = CALIBRATION_PICTURES) -> _core.Graph:
    """The network quantised; the first weights and the classifier's keep 8 bits.

    `form`: one of FORMATS, or "mixed": one of them for every layer, by a seed.
    """
    rng = np.random.default_rng(1)
    shape = tuple(network.tensors[network.inputs[0]].shape)
    noise = rng.uniform(-1, 1, (pictures, *shape[1:])).astype(np.float32)
    formats = _core.uniform_formats(network, "w4a4" if form == "mixed" else form)
    if form == "mixed":
        formats = [str(rng.choice(FORMATS)) if layer == "w4a4" else layer for layer in formats]
    return _core.quantize(network, [noise], formats=formats)


def measure(graph: _core.Graph, form: str, core: str, folder: Path) -> Measured:
    """Builds and runs the firmware on one seeded picture; CheckError when its output is not the interpreter's."""
    options = _core.ScheduleOptions(image_streamed=True, prefer=_core.Prefer.speed, core=core)
    plan = _core.make_oracle("streaming", options).plan(graph)
    project = export_c(graph, plan, folder, core=core, prefer="speed")
    sizes, run = run_once(project, graph, core, folder)
    return Measured(
        form,
        run.instructions,
        sizes.arena,
        plan.arena_bytes - plan.scratch_bytes,
        plan.scratch_bytes,
        sizes.weights,
        sizes.code,
        sizes.flash,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL.tflite")
    parser.add_argument("--core", choices=sorted(MACHINES), default="cortex-m7")
    parser.add_argument("--out", type=Path, help="JSON file")
    args = parser.parse_args()
    network = float_network(load_model(args.model))
    results = []
    print(f"{'format':8s}{'M insn':>9s}{'arena B':>10s}{'rows B':>9s}{'scratch B':>11s}{'const B':>10s}{'code B':>9s}")
    for form in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            m = measure(in_format(network, form), form, args.core, Path(folder))
        results.append(m)
        print(
            f"{form:8s}{m.instructions / 1e6:9.2f}{m.arena_bytes:10,d}{m.activation_bytes:9,d}{m.scratch_bytes:11,d}"
            f"{m.weights_bytes:10,d}{m.code_bytes:9,d}",
            flush=True,
        )
    if args.out:
        args.out.write_text(json.dumps([asdict(m) for m in results], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
