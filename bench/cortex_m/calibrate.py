"""Fits the latency model of our engine: instructions of every kernel of a core as a linear function of its work.

    python bench/cortex_m/calibrate.py [--core cortex-m7 ...] [--networks 12] [--check MODEL...]

Networks over a grid of shapes (tinynas.deploy.sample_networks) run in the emulator under three plans each: rows with
speed preferred, rings of pixels with memory preferred, layer by layer. Builds with probes give the instructions of
every operator, those without the total; what lies between is the network's own code. The terms are those of
src/oracle/kernels/kernel_work.h; their factors, none of them negative, are fitted by least squares weighted by the
inverse of the count. Writes
configs/latency/CORE.json and prints the error on whole networks that the fit has not seen (each left out in turn, all
plans of it together), and on the models after --check.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

from tinynas import _core  # noqa: E402
from tinynas.config.loader import configs_dir  # noqa: E402
from tinynas.deploy.boards import MACHINES  # noqa: E402
from tinynas.deploy.emulate import run_qemu  # noqa: E402
from tinynas.deploy.firmware import FirmwareBuild  # noqa: E402
from tinynas.deploy.sample_networks import mixed_network  # noqa: E402
from tinynas.export.cproject import export_c  # noqa: E402
from tinynas.models import load_model  # noqa: E402

# Seeds of the sample networks.
SEEDS = tuple(range(12))
PLANS = ("speed", "memory", "layerwise")
OTHER = "other"
DRIVERS = ("driver", "driver_pixels")

CYCLES_PER_INSTRUCTION = {
    "cortex-m3": 1.33,
    "cortex-m4": 1.25,
    "cortex-m7": 0.83,
    "cortex-m33": 1.18,
    "cortex-m55": 1.25,
}
"""An estimate: M7 lies between what the published latencies of two engines give (0.73 and 0.97); single-issue cores
lose to loads and branches what their manuals' cycle tables say."""

Terms = dict[str, float]
Fits = dict[str, Terms]


@dataclass(frozen=True)
class Sample:
    """One kernel at work: its terms, and the instructions that they took."""

    kernel: str
    terms: Terms
    instructions: int


@dataclass(frozen=True)
class Run:
    """A network under a plan: its operators, and the terms of the network's own code by the kind of segment."""

    name: str
    samples: tuple[Sample, ...]
    driver: dict[str, Terms]
    instructions: int

    @property
    def between(self) -> int:
        """Instructions outside the operators."""
        return self.instructions - sum(sample.instructions for sample in self.samples)


def plan_of(graph: _core.Graph, plan: str, core: str) -> _core.Plan:
    """One of PLANS, the image streamed."""
    prefer = _core.Prefer.memory if plan == "memory" else _core.Prefer.speed
    schedule = "layerwise" if plan == "layerwise" else "streaming"
    return _core.make_oracle(schedule, _core.ScheduleOptions(prefer=prefer, core=core)).plan(graph)


def measure(name: str, graph: _core.Graph, plan_name: str, core: str, folder: Path) -> Run:
    """One random picture in the emulator, with and without probes."""
    plan = plan_of(graph, plan_name, core)
    project = export_c(
        graph, plan, folder / f"{name}-{plan_name}", core=core, prefer="memory" if plan_name == "memory" else "speed"
    )
    build, machine = FirmwareBuild(project, core, folder / "engine"), MACHINES[core]
    size = sum(end["bytes"] for end in project.manifest["inputs"])
    picture = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8).tobytes()
    plain = build.link("plain", machine.memory, "board_emulator.c")
    total = run_qemu(plain, machine, picture, project.folder / "run").instructions
    probed = build.link("probed", machine.memory, "board_emulator.c", ("TN_PROBES",))
    layers = run_qemu(probed, machine, picture, project.folder / "run-probes").layer_instructions
    work = _core.kernel_work(graph, plan, core)
    samples = tuple(Sample(w.kernel, w.terms, layers.get(i, 0)) for i, w in enumerate(work))
    driver: dict[str, Terms] = defaultdict(lambda: defaultdict(float))
    for w in work:
        for term, value in w.driver_terms.items():
            driver[w.driver][term] += value
    return Run(f"{name}, {plan_name}", samples, {kind: dict(terms) for kind, terms in driver.items()}, total)


def fit_kernel(samples: Sequence[Sample]) -> Terms:
    """Factors of one kernel's terms; those that turn out as zero are left out."""
    names = sorted({term for sample in samples for term in sample.terms})
    weights = 1.0 / np.sqrt([max(1.0, sample.instructions) for sample in samples])
    matrix = np.array([[sample.terms.get(name, 0.0) for name in names] for sample in samples]) * weights[:, None]
    scale = np.maximum(matrix.max(axis=0), 1e-30)
    counts = np.array([sample.instructions for sample in samples]) * weights
    solution, _ = nnls(matrix / scale, counts)
    return {name: float(f"{f:.6g}") for name, f in zip(names, solution / scale, strict=True) if f > 0}


def fit(runs: Sequence[Run]) -> Fits:
    """Factors by kernel; "other" is fitted to those that only move or look up values."""
    by_kernel: dict[str, list[Sample]] = defaultdict(list)
    for sample in (sample for run in runs for sample in run.samples):
        by_kernel[sample.kernel].append(sample)
        if not sample.terms.get("mac"):
            values = {term: sample.terms.get(term, 0.0) for term in ("call", "output", "input")}
            by_kernel[OTHER].append(Sample(OTHER, values, sample.instructions))
    fits = {kernel: fit_kernel(group) for kernel, group in sorted(by_kernel.items())}
    for kind in DRIVERS:  # plans with pixels have segments of rows too, whose share is known by then
        samples = [
            Sample(kind, run.driver[kind], max(1, round(run.between - driver_share(fits, run))))
            for run in runs
            if kind in run.driver and all(other in fits for other in run.driver if other != kind)
        ]
        if samples:
            fits[kind] = fit_kernel(samples)
    return fits


def factors_of(fits: Fits, kernel: str) -> Terms:
    """The kernel's own, else those of the next shorter name, else "other"'s: as oracle/kernels/latency.cc has it."""
    while kernel not in fits:
        kernel = kernel.rpartition("_")[0] or OTHER
    return fits[kernel]


def share(fits: Fits, kernel: str, terms: Terms) -> float:
    """Instructions of some terms of a kernel."""
    factors = factors_of(fits, kernel)
    return sum(factors.get(term, 0.0) * value for term, value in terms.items())


def driver_share(fits: Fits, run: Run) -> float:
    """Instructions of the network's own code, as far as it has been fitted."""
    return sum(share(fits, kind, terms) for kind, terms in run.driver.items() if kind in fits)


def predict(fits: Fits, run: Run) -> float:
    """Instructions of a network."""
    return sum(share(fits, s.kernel, s.terms) for s in run.samples) + driver_share(fits, run)


def error_of(fits: Fits, run: Run) -> float:
    """How far the prediction of a network is off, as a fraction."""
    return predict(fits, run) / run.instructions - 1


def left_out_errors(networks: Sequence[Sequence[Run]]) -> dict[str, float]:
    """Errors on all runs of each network of a fit to the other networks, by the run's name."""
    errors = {}
    for out, runs in enumerate(networks):
        fits = fit([run for i, other in enumerate(networks) if i != out for run in other])
        errors |= {run.name: error_of(fits, run) for run in runs}
    return errors


def model_of(core: str, fits: Fits, networks: Sequence[Sequence[Run]], errors: dict[str, float]) -> dict[str, object]:
    """The content of configs/latency/CORE.json; `measured` are instructions that it was fitted to."""
    held_out = np.abs(list(errors.values()))
    return {
        "core": core,
        "cycles_per_instruction": CYCLES_PER_INSTRUCTION[core],
        "held_out_error": {"mean": round(float(held_out.mean()), 4), "worst": round(float(held_out.max()), 4)},
        "kernels": fits,
        "measured": {run.name: run.instructions for runs in networks for run in runs},
    }


def calibrate(core: str, seeds: Sequence[int], models: Sequence[str], folder: Path) -> dict[str, object]:
    """Measures and fits one core, prints the errors and returns the model."""
    networks = [[measure(f"mixed {seed}", mixed_network(seed), plan, core, folder) for plan in PLANS] for seed in seeds]
    fits = fit([run for runs in networks for run in runs])
    errors = left_out_errors(networks)
    for plan in PLANS:
        held_out = np.abs([error for name, error in errors.items() if name.endswith(plan)])
        print(
            f"{core}, {plan}: networks left out in turn: mean {100 * held_out.mean():.1f} %, "
            f"worst {100 * held_out.max():.1f} %",
            flush=True,
        )
    for model in models:
        for plan in PLANS:
            run = measure(Path(model).stem, load_model(model), plan, core, folder)
            print(f"  {run.name}: {run.instructions:,}, error {100 * error_of(fits, run):+.1f} %", flush=True)
    return model_of(core, fits, networks, errors)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", action="append", choices=sorted(MACHINES), help="all if not given")
    parser.add_argument("--networks", type=int, default=len(SEEDS), choices=range(3, len(SEEDS) + 1))
    parser.add_argument("--check", nargs="*", default=[], metavar="MODEL")
    parser.add_argument("--out", type=Path, default=configs_dir("latency"), help="folder of the models")
    args = parser.parse_args()
    args.out.mkdir(exist_ok=True)
    for core in args.core or sorted(MACHINES):
        with tempfile.TemporaryDirectory() as scratch:
            model = calibrate(core, SEEDS[: args.networks], args.check, Path(scratch))
        (args.out / f"{core}.json").write_text(json.dumps(model, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
