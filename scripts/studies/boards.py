"""Which network fits which board under which schedule, and what it reaches: scaled MobileNetV2, scaled ProxylessNAS,
and the network found by the search, by tflm, tinyengine and streaming, on four boards.

    python scripts/studies/boards.py --data DIR --out runs/studies/boards --epochs 10 [--supernet DIR/supernet.pt]

A scaled network is the one of most MACs, over resolutions and widths, that fits the board under the schedule (and
--max-macs). Every network, the found ones too, is trained from nothing for the same epochs; many cells share a network.
Writes plot.svg (accuracy over latency and over SRAM) and memory-*.svg (bytes of each block under the schedules).
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import matplotlib.pyplot as plt
import tinynas._core as _core
import typer
from study import MaxMacs, SearchSettings, Study, Supernet, search_settings, study_command

from tinynas.cli.common import OracleRequest, make_oracle
from tinynas.cli.profile import ENGINE_OF_SCHEDULE, profile_report
from tinynas.config.search import Budget
from tinynas.config.space import SpaceConfig, load_space
from tinynas.config.target import TargetConfig, load_target
from tinynas.errors import InfeasibleError
from tinynas.report.search_plots import plot_memory
from tinynas.search.evolve import Problem, search
from tinynas.search.explore import explore, limits_of
from tinynas.search.inputs import fit_space
from tinynas.search.run_dir import JsonLines

BOARDS = ("stm32f412", "stm32f746", "stm32f765", "stm32h743")
SCHEDULES = ("tflm", "tinyengine", "streaming")
SCALED = ("mobilenetv2", "proxylessnas")
TINYENGINE_HZ = 480e6
"""Of the Cortex-M7 whose published latencies TinyEngine's model was fitted to."""
Network = dict[str, Any]
"""`arch` and the `space` that it is a point of, as JSON values; empty where nothing fits."""


class Boards:
    """The cells of the table."""

    def __init__(self, study: Study, settings: Any, supernet: Any, max_macs: int) -> None:
        self.study = study
        self.settings = settings
        self._supernet = supernet
        self._max_macs = max_macs
        self._measurements: Any = None

    def limits(self, board: str, schedule: str) -> _core.Limits:
        """The board's memories, its platform's share included, and the study's most MACs."""
        target = load_target(board)
        budget = Budget(sram_bytes=target.sram_bytes, flash_bytes=target.flash_bytes, macs=self._max_macs)
        return limits_of(budget, target.overhead_of(ENGINE_OF_SCHEDULE.get(schedule, "tinynas")))

    def network(self, name: str, board: str, schedule: str) -> Network:
        """The network of a cell, chosen once."""
        choose = self._found if name == "found" else self._scaled
        kept: Network = self.study.once(f"network-{name}-{board}-{schedule}", lambda: choose(name, board, schedule))
        return kept

    def _scaled(self, name: str, board: str, schedule: str) -> Network:
        space = fit_space(load_space(name), self.study.data)
        core = space.to_core()
        archs = [_core.largest(core, r, w) for r in space.resolutions for w in space.widths]
        oracle, limits = _core.make_oracle(schedule), self.limits(board, schedule)
        scores = [_core.score(core, oracle, arch) for arch in archs]
        fitting = [(s.macs, i) for i, s in enumerate(scores) if _core.fits(s, limits)]
        if not fitting:
            return {}
        return {"space": space.as_json(), "arch": json.loads(archs[max(fitting)[1]].to_json())}

    def _found(self, _name: str, board: str, schedule: str) -> Network:
        study, limits, oracle = self.study, self.limits(board, schedule), _core.make_oracle(schedule)
        if self._measurements is None:
            self._measurements = study.measurements("shared", study.supernet(None, self._supernet))
        try:
            samples = self.settings.samples_per_subspace
            winner = explore(study.space.to_core(), oracle, limits, samples, study.seed)["winner"]
        except InfeasibleError:
            return {}
        subspace = study.space.subspace(winner["resolution"], winner["width"]).to_core()
        problem = Problem(subspace, oracle, limits, self._measurements, self.settings, study.seed)
        found = search(problem, JsonLines(study.out / f"history-{board}-{schedule}.jsonl"))
        return {"space": study.space.as_json(), "arch": found.winner["arch"]}

    def cell(self, name: str, board: str, schedule: str) -> dict[str, Any] | None:
        """Costs and accuracy of a cell's network; None where nothing fits."""
        network = self.network(name, board, schedule)
        if not network:
            return None
        space = SpaceConfig.model_validate(network["space"])
        graph = _core.build_graph(space.to_core(), _core.Arch.from_json(json.dumps(network["arch"])))
        target = load_target(board)
        oracle = make_oracle(OracleRequest(schedule, core=target.core, clock_hz=target.clock_hz))
        cost = profile_report(graph, oracle, target)
        accuracy = self.study.once(
            f"accuracy-{self.study.name_of(network['arch'], space)}",
            lambda: self.study.alone(network["arch"], space).accuracy(self.study.data.test),
        )
        return {
            "network": name,
            "board": board,
            "schedule": schedule,
            "resolution": network["arch"]["resolution"],
            "width": network["arch"]["width"],
            "accuracy": accuracy,
            "latency_us": _latency(cost["latency_us"], schedule, target),
            **{key: cost[key] for key in ("macs", "sram_bytes", "flash_bytes")},
        }

    def draw_memory(self, name: str, board: str) -> None:
        """Block memory of the network that streaming allows, under every schedule."""
        network = self.network(name, board, "streaming")
        if not network:
            return
        core = SpaceConfig.model_validate(network["space"]).to_core()
        graph = _core.build_graph(core, _core.Arch.from_json(json.dumps(network["arch"])))
        costs = [profile_report(graph, _core.make_oracle(schedule), None) for schedule in SCHEDULES]
        figure = plot_memory(costs, load_target(board).sram_bytes)
        if figure is not None:
            figure.savefig(self.study.out / f"memory-{name}-{board}.svg", bbox_inches="tight")


@study_command()
def main(
    study: Study,
    boards: Annotated[list[str] | None, typer.Option("--board", help=f"Repeatable; {', '.join(BOARDS)}.")] = None,
    max_macs: MaxMacs = 4_000_000,
    supernet: Supernet = None,
    config: SearchSettings = "default",
) -> None:
    """The table of boards, schedules and networks."""
    table = Boards(study, search_settings(config), supernet, max_macs)
    asked = [(n, b, s) for b in boards or BOARDS for s in SCHEDULES for n in (*SCALED, "found")]
    cells = {cell: table.cell(*cell) for cell in asked}
    found = [value for value in cells.values() if value]
    rows = [_row(cell, value) for cell, value in cells.items()]
    for name in (*SCALED, "found"):
        for board in boards or BOARDS:
            table.draw_memory(name, board)
    columns = ["board", "schedule", "network", "scale", "MACs", "SRAM B", "Flash B", "latency ms", "test %"]
    title = f"Networks of at most {max_macs:,} MACs, {study.train.epochs:g} epochs each"
    study.finish(title, columns, rows, _plot(found), found)


def _latency(predicted: float | None, schedule: str, target: TargetConfig) -> float | None:
    """On the board: TinyEngine's by the clock on the core that its model was fitted to, and unknown on others."""
    if schedule != "tinyengine" or predicted is None:
        return predicted
    return predicted * TINYENGINE_HZ / target.clock_hz if target.core == "cortex-m7" else None


def _row(cell: tuple[str, str, str], value: dict[str, Any] | None) -> list[str]:
    name, board, schedule = cell
    if value is None:
        return [board, schedule, name, "nothing fits", "", "", "", "", ""]
    latency = value["latency_us"]
    return [
        board,
        schedule,
        name,
        f"w{value['width']:g}-r{value['resolution']}",
        f"{value['macs']:,}",
        f"{value['sram_bytes']:,}",
        f"{value['flash_bytes']:,}",
        f"{latency / 1000:.1f}" if latency else "no model",
        f"{100 * value['accuracy']:.2f}",
    ]


def _plot(cells: list[dict[str, Any]]) -> Any:
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axes, key, unit, scale in (
        (both[0], "latency_us", "latency, ms", 1e3),
        (both[1], "sram_bytes", "SRAM, KiB", 1024),
    ):
        for colour, name in enumerate((*SCALED, "found")):
            for marker, schedule in zip("osd", SCHEDULES, strict=True):
                shown = [c for c in cells if (c["network"], c["schedule"]) == (name, schedule) and c[key]]
                points = [c[key] / scale for c in shown], [100 * c["accuracy"] for c in shown]
                axes.plot(*points, marker, color=f"C{colour}", label=f"{name}, {schedule}", alpha=0.7)
        axes.set(xlabel=unit)
        axes.grid(alpha=0.3)
    both[0].set(ylabel="test accuracy, %")
    both[1].legend(fontsize="small", bbox_to_anchor=(1.02, 1))
    return figure


if __name__ == "__main__":
    typer.run(main)
