"""Instructions of networks on emulated cores: in all, per layer, per kind of layer and per kernel, plain and weighted.

    python bench/cortex_m/networks.py MODEL... [--core cortex-m7 ...] [--no-shrink] [--layers] [--out figures.json]

MODEL is what `tinynas deploy` takes. Totals are SysTick's of a firmware without probes; shares come from a trace of the
same firmware (tracing.py says how, and what "weighted" means). Published files are recognised by what is in their name
(vww_int8_io, kws, resnet, vww_96) and compared with peers.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "python")]

from tracing import Count, Trace, trace_firmware  # noqa: E402

from tinynas import _core  # noqa: E402
from tinynas.deploy import DeployOptions, deploy  # noqa: E402
from tinynas.deploy.boards import EMULATED, MACHINES  # noqa: E402
from tinynas.models import load_model  # noqa: E402
from tinynas.shrinking import shrink_model  # noqa: E402

PEERS = json.loads((HERE / "peers.json").read_text())
NAMES = {"vww_int8_io": "te_vww", "kws": "kws", "resnet": "resnet", "vww_96": "vww_96"}
TARGETS = {core: target for target, core in EMULATED.items()}


@dataclass
class Share:
    """Work and instructions of some layers."""

    macs: int = 0
    outputs: int = 0
    plain: int = 0
    weighted: int = 0

    def add(self, macs: int, outputs: int, count: Count) -> None:
        self.macs += macs
        self.outputs += outputs
        self.plain += count.plain
        self.weighted += count.weighted


@dataclass
class Figures:
    """What one network takes on one core. `instructions` is SysTick's count, `traced` the sum of the shares."""

    model: str
    core: str
    macs: int
    instructions: int
    traced: Count
    sram_bytes: int
    stack_bytes: int
    flash_bytes: int
    code_bytes: int
    ratios: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, Share] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)
    kernels: dict[str, Count] = field(default_factory=dict)


def kind_of(graph: _core.Graph, index: int) -> str:
    """The kind of a layer as the figures of others are sorted: by operator, kernel and, for 1x1, input channels."""
    operator = graph.operators[index]
    if operator.kind == "conv2d":
        _, height, width, channels = graph.tensors[operator.inputs[1]].shape
        if height == width == 1:
            return "pointwise, 48 or more channels" if channels >= 48 else "pointwise, below 48 channels"
        first = operator.inputs[0] in graph.inputs
        return "first convolution" if first else f"convolution {height}x{width}"
    if operator.kind == "depthwise_conv2d":
        _, height, width, _ = graph.tensors[operator.inputs[1]].shape
        return f"depthwise {height}x{width}"
    return str(operator.kind)


def _elements(graph: _core.Graph, index: int) -> int:
    product = 1
    for size in graph.tensors[graph.operators[index].outputs[0]].shape:
        product *= size
    return product


def peer_ratios(name: str, core: str, instructions: int) -> dict[str, float]:
    """Instructions as a fraction of the peers' on the same network and core."""
    key = next((peer for part, peer in NAMES.items() if part in name.lower()), None)
    table = {} if key is None else PEERS[key]
    return {peer: instructions / 1e6 / cores[core] for peer, cores in table.items() if core in cores}


def sort_shares(graph: _core.Graph, trace: Trace, figures: Figures) -> None:
    """Fills kinds, layers and kernels from a trace."""
    for index, operator in enumerate(graph.operators):
        macs, outputs = graph.operator_macs(index), _elements(graph, index)
        count = trace.operators.get(index, Count())
        kind = kind_of(graph, index)
        figures.kinds.setdefault(kind, Share()).add(macs, outputs, count)
        layer = {"index": index, "operator": operator.kind, "kind": kind, "macs": macs, "outputs": outputs}
        figures.layers.append(layer | asdict(count))
    figures.kinds.setdefault("driver", Share()).add(0, 0, trace.operators.get(-1, Count()))
    figures.kernels = dict(sorted(trace.functions.items(), key=lambda item: -item[1].plain))


def measure(graph: _core.Graph, name: str, core: str, options: DeployOptions, out: Path) -> Figures:
    """Deploys to an emulated core, runs, traces. `options.run` must be set."""
    report = deploy(graph, TARGETS[core], out, options)
    machine = MACHINES[core]
    trace = trace_firmware(out / f"emulator-{machine.name}.elf", machine, out / "run")
    figures = Figures(
        name,
        core,
        graph.macs(),
        report["instructions"],
        trace.total,
        report["sram"]["arena_bytes"],
        report["sram"]["stack_bytes"],
        report["flash"]["total_bytes"],
        report["flash"]["code_bytes"],
        peer_ratios(name, core, report["instructions"]),
    )
    sort_shares(shrink_model(graph, options.shrink).graph, trace, figures)
    return figures


def show(figures: Figures, layers: bool, write: Callable[[str], Any] = print) -> None:
    """A table on the terminal."""
    weighted = figures.instructions * figures.traced.weighted / max(1, figures.traced.plain)
    write(
        f"{figures.model}, {figures.core}: {figures.instructions / 1e6:.3f} M instructions "
        f"({weighted / 1e6:.3f} M weighted), {figures.instructions / max(1, figures.macs):.3f} per MAC; arena "
        f"{figures.sram_bytes:,} B, stack {figures.stack_bytes:,} B, code {figures.code_bytes:,} B"
    )
    for peer, ratio in figures.ratios.items():
        write(f"  {ratio:.3f} x {peer}")
    write(f"  {'kind':34s}{'MACs':>12s}{'insn':>12s}{'weighted':>12s}{'per MAC':>9s}{'per output':>11s}")
    for kind, share in sorted(figures.kinds.items(), key=lambda item: -item[1].plain):
        per_mac = f"{share.plain / share.macs:9.3f}" if share.macs else " " * 9
        per_output = f"{share.plain / share.outputs:11.2f}" if share.outputs else ""
        write(f"  {kind:34s}{share.macs:12,d}{share.plain:12,d}{share.weighted:12,d}{per_mac}{per_output}")
    for kernel, count in list(figures.kernels.items())[:12]:
        write(f"  {kernel:46s}{count.plain:12,d}{count.weighted:12,d}")
    if layers:
        for layer in figures.layers:
            write(
                f"  {layer['index']:4d} {layer['kind']:41s}{layer['plain']:12,d}{layer['weighted']:12,d}"
                f"{layer['plain'] / max(1, layer['macs']):9.3f}"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--core", action="append", choices=sorted(MACHINES), help="all if not given")
    parser.add_argument("--schedule", default="streaming")
    parser.add_argument("--prefer", default="speed", choices=["speed", "memory"])
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--layers", action="store_true", help="a line per layer")
    parser.add_argument("--out", type=Path, help="JSON file")
    args = parser.parse_args()
    options = DeployOptions(schedule=args.schedule, prefer=args.prefer, shrink=not args.no_shrink, run=True)
    results = []
    for model in args.models:
        graph = load_model(model)
        for core in args.core or sorted(MACHINES):
            with tempfile.TemporaryDirectory() as folder:
                results.append(measure(graph, Path(model).stem, core, options, Path(folder)))
            show(results[-1], args.layers)
    if args.out:
        args.out.write_text(json.dumps([asdict(figures) for figures in results], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
