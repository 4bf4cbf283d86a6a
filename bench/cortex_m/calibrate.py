"""Fits the latency model of our engine: instructions of every kernel of a core as a linear function of its work.

    python bench/cortex_m/calibrate.py [--core cortex-m7 ...] [--bits 8|4] [--networks 12] [--check MODEL...]

Networks over a grid of shapes (tinynas.deploy.sample_networks) run in the emulator under three plans each: rows with
speed preferred, rings of pixels with memory preferred, layer by layer. Builds with probes give the instructions of
every operator, those without the total; what lies between is the network's own code. The terms are those of
src/oracle/kernels/kernel_work.h; their factors, none of them negative, are fitted by least squares weighted by the
inverse of the count. First int8 networks give the kernels of 8 bits, then others in w4a8, w4a4 and mixed formats those
of 4; with --bits one of the two, the rest of the model stays. Writes configs/latency/CORE.json and prints the error on
whole networks that the fit has not seen (each left out in turn, all plans of it together), and on the models after
--check.
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
from typing import Any

import numpy as np
from scipy.optimize import nnls

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "python")]

from formats import float_network, in_format  # noqa: E402

from tinynas import _core  # noqa: E402
from tinynas.config.loader import configs_dir  # noqa: E402
from tinynas.deploy.boards import MACHINES  # noqa: E402
from tinynas.deploy.emulate import run_qemu  # noqa: E402
from tinynas.deploy.firmware import FirmwareBuild  # noqa: E402
from tinynas.deploy.sample_networks import mixed_network  # noqa: E402
from tinynas.export.cproject import export_c  # noqa: E402
from tinynas.models import load_model  # noqa: E402

NETWORKS = 12
PLANS = ("speed", "memory", "layerwise")
OTHER = "other"
DRIVERS = ("driver", "driver_pixels")
PACKED_FORMATS = ("w4a8", "w4a4", "mixed")
PACKED_PARTS = {"w4", "i4", "o4"}
CALIBRATION_PICTURES = 2

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


def network_named(name: str) -> _core.Graph:
    """A sample network, "mixed SEED" in int8 or "mixed SEED FORMAT"."""
    _, seed, *form = name.split()
    graph = mixed_network(int(seed))
    return in_format(float_network(graph), form[0], pictures=CALIBRATION_PICTURES) if form else graph


def network_names(bits: int, count: int) -> list[str]:
    """Those that kernels of 8 bits are fitted to, `count`, or half as many again for those of 4: no seed is in both."""
    if bits == 8:
        return [f"mixed {seed}" for seed in range(count)]
    turns = range(count * 3 // 2)  # i // count: other families in other formats
    return [f"mixed {NETWORKS + i} {PACKED_FORMATS[(i + i // count) % len(PACKED_FORMATS)]}" for i in turns]


def plan_of(graph: _core.Graph, plan: str, core: str) -> _core.Plan:
    """One of PLANS, the image streamed."""
    prefer = _core.Prefer.memory if plan == "memory" else _core.Prefer.speed
    schedule = "layerwise" if plan == "layerwise" else "streaming"
    return _core.make_oracle(schedule, _core.ScheduleOptions(prefer=prefer, core=core)).plan(graph)


def measure(name: str, graph: _core.Graph, plan_name: str, core: str, folder: Path) -> Run:
    """One random picture in the emulator, with and without probes."""
    plan = plan_of(graph, plan_name, core)
    place = folder / f"{name}-{plan_name}".replace(" ", "-")
    project = export_c(graph, plan, place, core=core, prefer="memory" if plan_name == "memory" else "speed")
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


def fit(runs: Sequence[Run], known: Fits) -> Fits:
    """Factors by kernel, the known ones as they are; "other" is fitted to those that only move or look up values."""
    by_kernel: dict[str, list[Sample]] = defaultdict(list)
    for sample in (sample for run in runs for sample in run.samples):
        by_kernel[sample.kernel].append(sample)
        if not sample.terms.get("mac"):
            values = {term: sample.terms.get(term, 0.0) for term in ("call", "output", "input")}
            by_kernel[OTHER].append(Sample(OTHER, values, sample.instructions))
    fits = known | {kernel: fit_kernel(group) for kernel, group in sorted(by_kernel.items()) if kernel not in known}
    # Plans with pixels have segments of rows too, whose share is known by then.
    for kind in (kind for kind in DRIVERS if kind not in known):
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


def left_out_errors(networks: Sequence[Sequence[Run]], known: Fits) -> dict[str, float]:
    """Errors on all runs of each network of a fit to the other networks, by the run's name."""
    errors = {}
    for out, runs in enumerate(networks):
        fits = fit([run for i, other in enumerate(networks) if i != out for run in other], known)
        errors |= {run.name: error_of(fits, run) for run in runs}
    return errors


def is_packed(kernel: str) -> bool:
    """Whether it is one of 4-bit values, by its name (src/oracle/kernels/kernel_work.h)."""
    return not PACKED_PARTS.isdisjoint(kernel.split("_"))


def print_errors(core: str, bits: int, errors: dict[str, float]) -> None:
    """Of the networks left out, by plan."""
    for plan in PLANS:
        held_out = np.abs([error for name, error in errors.items() if name.endswith(plan)])
        print(
            f"{core}, {bits} bits, {plan}: networks left out in turn: mean {100 * held_out.mean():.1f} %, "
            f"worst {100 * held_out.max():.1f} %",
            flush=True,
        )


def print_checks(core: str, bits: int, fits: Fits, models: Sequence[str], folder: Path) -> None:
    """Errors on networks from files, those of 4 bits quantised anew."""
    for path in models:
        graph = load_model(path)
        forms = {"w8a8": graph} if bits == 8 else {f: in_format(float_network(graph), f) for f in ("w4a8", "w4a4")}
        for form, plan in ((form, plan) for form in forms for plan in PLANS):
            run = measure(f"{Path(path).stem} {form}", forms[form], plan, core, folder)
            print(f"  {run.name}: {run.instructions:,}, error {100 * error_of(fits, run):+.1f} %", flush=True)


def refit(model: dict[str, Any], bits: int, args: argparse.Namespace, folder: Path) -> None:
    """Measures networks on the model's core and puts the factors of the kernels of 8 or 4 bits into it."""
    core, kernels = model["core"], model["kernels"]
    known = {kernel: terms for kernel, terms in kernels.items() if bits == 4 and not is_packed(kernel)}
    names = network_names(bits, args.networks)
    networks = [[measure(n, network_named(n), plan, core, folder) for plan in PLANS] for n in names]
    fits = fit([run for runs in networks for run in runs], known)
    errors = left_out_errors(networks, known)
    print_errors(core, bits, errors)
    print_checks(core, bits, fits, args.check, folder)
    held_out = np.abs(list(errors.values()))
    model["held_out_error" if bits == 8 else "held_out_error_4_bits"] = {
        "mean": round(float(held_out.mean()), 4),
        "worst": round(float(held_out.max()), 4),
    }
    of_others = {kernel: terms for kernel, terms in kernels.items() if bits == 8 and is_packed(kernel)}
    model["kernels"] = fits | of_others
    of_others = {n: count for n, count in model["measured"].items() if (len(n.split()) == 3) != (bits == 8)}
    model["measured"] = of_others | {run.name: run.instructions for runs in networks for run in runs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", action="append", choices=sorted(MACHINES), help="all if not given")
    parser.add_argument("--bits", type=int, action="append", choices=(8, 4), help="both if not given")
    parser.add_argument("--networks", type=int, default=NETWORKS, choices=range(3, NETWORKS + 1))
    parser.add_argument("--check", nargs="*", default=[], metavar="MODEL")
    parser.add_argument("--out", type=Path, default=configs_dir("latency"), help="folder of the models")
    args = parser.parse_args()
    args.out.mkdir(exist_ok=True)
    for core in args.core or sorted(MACHINES):
        path = args.out / f"{core}.json"
        model: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {"kernels": {}, "measured": {}}
        model |= {"core": core, "cycles_per_instruction": CYCLES_PER_INSTRUCTION[core]}
        for bits in sorted(args.bits or (8, 4), reverse=True):
            with tempfile.TemporaryDirectory() as scratch:
                refit(model, bits, args, Path(scratch))
            path.write_text(json.dumps(model, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
