"""What each idea brings: instructions, SRAM and Flash of one network as the engine's parts come in, one by one.

    python bench/cortex_m/ablation.py MODEL [--core cortex-m7] [--out steps.json]

Every step is a whole firmware, built, run in the emulator and compared with the reference interpreter. At first every
tensor has bytes of its own. Before "fusion" padding is an operator with a tensor, as in the engines that do not fuse
it; requantisation and clamping are part of every kernel from the first step on. For the published vww network the line
"interpreter, reference loops" is TensorFlow Lite Micro's (peers.json), not measured here.
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

from one_run import run_once  # noqa: E402

from tinynas import _core  # noqa: E402
from tinynas.deploy.boards import MACHINES  # noqa: E402
from tinynas.export.cproject import export_c  # noqa: E402
from tinynas.models import load_model  # noqa: E402
from tinynas.shrinking import shrink_model  # noqa: E402


@dataclass(frozen=True)
class Way:
    """One step: schedule, preference, whose kernels; what of memory plan, fusion and shrinking is there."""

    title: str
    schedule: str
    prefer: str = "memory"
    specialised: bool = False
    planned: bool = True
    fused: bool = True
    shrunk: bool = False


WAYS = (
    Way("generated code, portable kernels", "layerwise", planned=False, fused=False),
    Way("in-place depthwise, memory plan", "tinyengine", fused=False),
    Way("fusion of padding", "tinyengine"),
    Way("kernels of the instruction set", "tinyengine", specialised=True),
    Way("streaming, least memory", "streaming", specialised=True),
    Way("streaming, several rows at once", "streaming", "speed", specialised=True),
    Way("constant channels left out", "streaming", "speed", specialised=True, shrunk=True),
)


@dataclass(frozen=True)
class Step:
    """Figures of one step, bytes; the arena holds the image unless it is streamed."""

    title: str
    instructions: int
    sram_bytes: int
    flash_bytes: int
    code_bytes: int


def unfused(graph: _core.Graph) -> _core.Graph:
    """The same network with the padding of every convolution as a PAD before it."""
    value = json.loads(graph.to_json())
    tensors, operators = value["tensors"], []
    for operator in value["operators"]:
        sides = {side: operator.get(f"pad_{side}", 0) for side in ("top", "bottom", "left", "right")}
        if operator["op"] in ("conv2d", "depthwise_conv2d") and any(sides.values()):
            image = tensors[operator["inputs"][0]]
            _, height, width, channels = image["shape"]
            amounts = [[0, 0], [sides["top"], sides["bottom"]], [sides["left"], sides["right"]], [0, 0]]
            shape = [1, height + sum(amounts[1]), width + sum(amounts[2]), channels]
            tensors.append({**image, "name": f"{image['name']}, padded", "shape": shape})
            padded = len(tensors) - 1
            operators.append(
                {"op": "pad", "name": "", "inputs": [operator["inputs"][0]], "outputs": [padded], "amounts": amounts}
            )
            operator = {**operator, "inputs": [padded, *operator["inputs"][1:]]} | {f"pad_{side}": 0 for side in sides}
        operators.append(operator)
    return _core.Graph.from_json(json.dumps({**value, "operators": operators}))


def every_buffer_apart(plan: _core.Plan) -> _core.Plan:
    """The same without a byte that is used twice."""
    value = plan.to_dict()
    end = 0
    for buffer in value["buffers"]:
        buffer["offset"], buffer["shares_with"] = end, -1
        end += -(-buffer["bytes"] // 4) * 4
    return _core.Plan.from_json(json.dumps(value | {"arena_bytes": end}))


def plan_of(graph: _core.Graph, way: Way, core: str) -> _core.Plan:
    """The plan of a step; only streaming streams the image."""
    streams = way.schedule == "streaming"
    options = _core.ScheduleOptions(image_streamed=streams, prefer=getattr(_core.Prefer, way.prefer), core=core)
    if streams:
        return _core.make_oracle("streaming", options).plan(graph)
    plan = _core.whole_tensor_plan(graph, way.schedule, options)
    return plan if way.planned else every_buffer_apart(plan)


def measure(original: _core.Graph, way: Way, core: str, folder: Path) -> Step:
    """Builds and runs one step on one seeded picture; CheckError when its outputs are not the interpreter's."""
    graph = shrink_model(original, way.shrunk).graph
    graph = graph if way.fused else unfused(graph)
    kernels = core if way.specialised else ""
    project = export_c(graph, plan_of(graph, way, kernels), folder, core=kernels, prefer=way.prefer)
    sizes, run = run_once(project, original, core, folder)
    return Step(way.title, run.instructions, sizes.arena, sizes.flash, sizes.code)


def measure_all(graph: _core.Graph, core: str) -> list[Step]:
    """Every step in turn."""
    steps = []
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            steps.append(measure(graph, way, core, Path(folder)))
    return steps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--core", choices=sorted(MACHINES), default="cortex-m7")
    parser.add_argument("--out", type=Path, help="JSON file")
    args = parser.parse_args()
    steps = measure_all(load_model(args.model), args.core)
    print(f"{'step':54s}{'M insn':>9s}{'SRAM B':>10s}{'Flash B':>10s}{'code B':>9s}")
    loops = json.loads((HERE / "peers.json").read_text())["te_vww"]["reference_loops"].get(args.core)
    if "vww_int8_io" in args.model and loops:
        print(f"{'interpreter, reference loops (TFLM, published)':54s}{loops:9.2f}")
    for step in steps:
        print(
            f"{step.title:54s}{step.instructions / 1e6:9.2f}{step.sram_bytes:10,d}{step.flash_bytes:10,d}"
            f"{step.code_bytes:9,d}"
        )
    if args.out:
        args.out.write_text(json.dumps([asdict(step) for step in steps], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
