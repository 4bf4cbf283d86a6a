"""Fits the latency model of our engine to traced firmware: instructions of an operator by kind, shape and core.

    python bench/cortex_m/calibrate.py [--core cortex-m7 ...] [--networks 6] [--check MODEL...]

Networks over a grid of shapes (tinynas.deploy.sample_networks.varied_network) run on every core; what the trace gives
per operator is fitted, kind by kind, with non-negative factors of the features of tinynas/latency.py, least squares
weighted by the inverse of the count. Writes tinynas/engine_latency.json and prints the error of the fit: mean and
worst of whole networks that the fit has not seen (each left out in turn), and of the models after --check.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "python")]

from tracing import Count, trace_firmware  # noqa: E402

from tinynas import _core  # noqa: E402
from tinynas.deploy.boards import MACHINES  # noqa: E402
from tinynas.deploy.firmware import FirmwareBuild  # noqa: E402
from tinynas.deploy.sample_networks import varied_network  # noqa: E402
from tinynas.export.cproject import export_c  # noqa: E402
from tinynas.latency import TABLE, Features, features_of, kind_of  # noqa: E402
from tinynas.models import load_model  # noqa: E402

# Seeds of the sample networks, least work first.
SEEDS = (11, 10, 5, 8, 2, 6, 3, 7, 0, 4, 9, 1)
Fits = dict[str, list[float]]


@dataclass(frozen=True)
class Sample:
    """One operator: its kind and features, and the instructions it took."""

    kind: str
    features: Features
    instructions: int


def measure(graph: _core.Graph, core: str, folder: Path, engine: Path) -> list[Sample]:
    """Every operator of a network, run on one random picture in the emulator of a core."""
    options = _core.ScheduleOptions(prefer=_core.Prefer.speed, core=core)
    plan = _core.make_oracle("streaming", options).plan(graph)
    project = export_c(graph, plan, folder, core=core, prefer="speed")
    machine = MACHINES[core]
    elf = FirmwareBuild(project, core, engine).link("emulator", machine.memory, "board_emulator.c")
    size = sum(end["bytes"] for end in project.manifest["inputs"])
    (folder / "input.bin").write_bytes(np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes())
    trace = trace_firmware(elf, machine, folder)
    return [
        Sample(kind_of(graph, i), features_of(graph, i), trace.operators.get(i, Count()).plain)
        for i in range(len(graph.operators))
    ]


def fit(samples: Iterable[Sample]) -> Fits:
    """Factors by kind; "other" is fitted to the operators that only move or look up values."""
    by_kind: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_kind[sample.kind].append(sample)
        if sample.features[0] == 0:
            by_kind["other"].append(sample)
    fits: Fits = {}
    for kind, group in sorted(by_kind.items()):
        weights = 1.0 / np.sqrt([max(1.0, s.instructions) for s in group])
        matrix = np.array([s.features for s in group], float) * weights[:, None]
        scale = np.maximum(matrix.max(axis=0), 1e-30)
        solution, _ = nnls(matrix / scale, 1.0 / weights)
        fits[kind] = [float(f) for f in solution / scale]
    return fits


def predict(fits: Fits, samples: Iterable[Sample]) -> float:
    """Instructions of a whole network."""
    total = 0.0
    for sample in samples:
        factors = fits.get(sample.kind, fits["other"])
        total += float(np.dot(factors, sample.features))
    return total


def error_of(fits: Fits, samples: list[Sample]) -> float:
    """How far the prediction of a network is off, as a fraction."""
    return predict(fits, samples) / sum(s.instructions for s in samples) - 1


def left_out_errors(networks: list[list[Sample]]) -> list[float]:
    """Errors on each network of a fit to the others."""
    errors = []
    for out, network in enumerate(networks):
        others = [sample for i, other in enumerate(networks) if i != out for sample in other]
        errors.append(error_of(fit(others), network))
    return errors


def write_table(new: dict[str, Fits]) -> None:
    """Replaces the fits of the measured cores."""
    table = json.loads(TABLE.read_text()) if TABLE.is_file() else {}
    rounded = {
        core: {kind: [float(f"{f:.6g}") for f in factors] for kind, factors in fits.items()}
        for core, fits in new.items()
    }
    TABLE.write_text(json.dumps(table | rounded, indent=1, sort_keys=True) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", action="append", choices=sorted(MACHINES), help="all if not given")
    parser.add_argument("--networks", type=int, default=6, choices=range(3, len(SEEDS) + 1))
    parser.add_argument("--check", nargs="*", default=[], metavar="MODEL")
    args = parser.parse_args()
    for core in args.core or sorted(MACHINES):
        with tempfile.TemporaryDirectory() as scratch:
            folder, engine = Path(scratch), Path(scratch) / "engine"
            networks = [measure(varied_network(s), core, folder / str(s), engine) for s in SEEDS[: args.networks]]
            fits = fit(sample for network in networks for sample in network)
            errors = np.abs(left_out_errors(networks))
            print(
                f"{core}: {len(fits)} kinds, whole networks left out in turn: mean {100 * errors.mean():.1f} %, "
                f"worst {100 * errors.max():.1f} %",
                flush=True,
            )
            for model in args.check:
                error = error_of(fits, measure(load_model(model), core, folder / Path(model).stem, engine))
                print(f"  {Path(model).stem}: {100 * error:+.1f} %", flush=True)
            write_table({core: fits})
    return 0


if __name__ == "__main__":
    sys.exit(main())
