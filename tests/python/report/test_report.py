import json
import re
from pathlib import Path

import numpy as np
import pytest

from tinynas.errors import InputError
from tinynas.report import read_run, summary_table, write_html
from tinynas.report.run import Candidate, candidates, find_number
from tinynas.report.search_plots import block_of, memory_by_block, pareto_front, plot_evolution, plot_memory
from tinynas.report.subspace_plots import plot_flops_cdf, plot_flops_map, plot_flops_means, plot_sram_map, ranked
from tinynas.report.summary import accuracies, summary_rows


def stage1() -> dict[str, object]:
    subspaces: list[dict[str, object]] = [
        {
            "resolution": r,
            "width": w,
            "samples": 50,
            "satisfying": 40,
            "mean_flops": 1e4 * r * w,
            "p80_flops": 1.2e4 * r * w,
            "flops": np.linspace(0.5e4 * r * w, 1.5e4 * r * w, 40).tolist(),
        }
        for r in (32, 48)
        for w in (0.5, 1.0)
    ]
    nothing = {"resolution": 64, "width": 1.0, "samples": 50, "satisfying": 0, "mean_flops": 0.0, "p80_flops": 0.0}
    rare = {"resolution": 64, "width": 0.5, "samples": 50, "satisfying": 9, "mean_flops": 9e9, "flops": [9e9] * 9}
    return {"subspaces": [*subspaces, nothing, rare], "winner": {"resolution": 48, "width": 1.0}}


def cost(schedule: str, scale: int) -> dict[str, object]:
    layers = [
        {"index": i, "name": name, "operator": "conv2d", "macs": 10, "sram_bytes": size * scale, "flash_bytes": 3}
        for i, (name, size) in enumerate(
            [("stem", 900), ("b0.expand", 1500), ("b0.depthwise", 2100), ("b1.project", 700)]
        )
    ]
    return {
        "schedule": schedule, "macs": 12345678, "params": 4321, "sram_bytes": 2100 * scale, "flash_bytes": 777,
        "peak_operator": "b0.depthwise", "layers": layers,
    }  # fmt: skip


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    root = tmp_path / "first <run>"
    root.mkdir()
    (root / "config.yaml").write_text("budget: {sram_bytes: 4096, flash_bytes: 8192}\n")
    (root / "stage1.json").write_text(json.dumps(stage1()))
    lines = [
        {"generation": g, "index": i, "accuracy": 60 + g + i, "predicted": i > 1, "sram_bytes": 1000 + 100 * i}
        for g in range(3)
        for i in range(4)
    ]
    (root / "history.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + '\n{"generation": 3, "acc')
    (root / "arch.json").write_text('{"resolution": 48}')
    (root / "cost.json").write_text(json.dumps(cost("streaming", 1)))
    (root / "cost_tinyengine.json").write_text(json.dumps(cost("tinyengine", 3)))
    result = {
        "accuracy_float": 0.91,
        "accuracy_int8_c": 0.905,
        "baselines": {"random": {"accuracy_int8": 0.88}, "smallest": 0.7},
        "timings": {"train_s": 12.0},
        "synthetic": True,
    }
    (root / "result.json").write_text(json.dumps(result))
    return root


def test_report_is_one_file_with_all_plots(run_dir: Path) -> None:
    text = write_html(run_dir).read_text()
    names = {"accuracy", "memory", "flops_cdf", "flops_means", "flops_map", "evolution", "pareto"}
    assert names == {p.stem for p in (run_dir / "plots").glob("*.svg")}
    assert text.count("<svg") == len(names) and "synthetic" in text
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert "first &lt;run&gt;" in text and "<run>" not in text
    for shown in ("90.50 %", "12,345,678", "w1-r48", "p80", "limit 4 KiB", "b0.depthwise", "line 13 is cut off"):
        assert shown in text, shown


def test_reports_of_the_same_run_are_equal(run_dir: Path) -> None:
    assert write_html(run_dir).read_bytes() == write_html(run_dir).read_bytes()


@pytest.mark.parametrize(
    "missing", ["config.yaml", "stage1.json", "history.jsonl", "arch.json", "cost.json", "result.json", "cost*", "*"]
)
def test_missing_parts_are_left_out(run_dir: Path, missing: str) -> None:
    for file in run_dir.glob(missing):
        file.unlink()
    text = write_html(run_dir).read_text()
    assert ("The run has no results yet." in text) == (missing == "*")
    assert summary_table(run_dir).row_count == len(summary_rows(read_run(run_dir)))


@pytest.mark.parametrize("damaged", ["config.yaml", "stage1.json", "result.json", "cost.json"])
def test_damaged_files_are_named(run_dir: Path, damaged: str) -> None:
    (run_dir / damaged).write_text("{[")
    assert f"Left out of this report: {damaged}" in write_html(run_dir).read_text()


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a run's folder, got nothing there"):
        write_html(tmp_path / "none")


def test_summary_rows(run_dir: Path) -> None:
    rows = dict(summary_rows(read_run(run_dir)))
    assert rows["subspace"] == "w1-r48"
    assert rows["accuracy, int8, C code"] == "90.50 %" and rows["accuracy, float"] == "91.00 %"
    assert rows["accuracy, baseline: random"] == "88.00 %"
    assert rows["SRAM"] == "2,100 B (2.1 KiB) of 4 KiB, schedule streaming"
    assert rows["SRAM, schedule tinyengine"] == "6,300 B (6.2 KiB)"
    assert rows["candidates"] == "12, 6 of them measured"


def test_accuracies_come_with_the_c_code_first_and_baselines_last() -> None:
    result = {"baselines": [{"name": "x", "accuracy": 70.0}], "accuracies": {"float": 91.0, "int8_c": 0.9}}
    assert accuracies(result) == [("int8, C code", 90.0), ("float", 91.0), ("baseline: x", 70.0)]


def test_accuracies_as_the_search_writes_them() -> None:
    keys = {"supernet_val": 0.8, "float_val": 0.85, "float_test": 0.84, "int8_c_val": 0.83, "int8_c_test": 0.82}
    rows = dict(accuracies({"accuracy": keys}))
    assert list(rows) == [
        "int8, C code, test",
        "float, test",
        "int8, C code, validation",
        "supernet, validation",
        "float, validation",
    ]
    assert rows["int8, C code, test"] == pytest.approx(82)


def test_candidates_tell_measured_from_predicted() -> None:
    lines = [
        {"generation": 1, "accuracy": 0.5, "predicted": False},
        {"generation": 1, "accuracy": 50.0, "predicted": True},
        {"generation": 2, "accuracy": None, "predicted": 0.25},
        {"generation": 2, "accuracy": 75.0, "predicted": 70.0},
        {"generation": 2},
    ]
    assert [(c.accuracy, c.measured) for c in candidates(lines)] == [(50, True), (50, False), (25, False), (75, True)]


def test_find_number_looks_inside() -> None:
    assert find_number({"a": {"sram_bytes": 3}, "b": True}, ("sram_bytes",)) == 3
    assert find_number({"sram_bytes": True}, ("sram_bytes",)) is None


def test_pareto_front_by_brute_force() -> None:
    rng = np.random.default_rng(5)
    points = [(float(x), float(y)) for x, y in rng.integers(0, 12, (60, 2))]

    def beaten(p: tuple[float, float]) -> bool:
        return any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in points)

    assert {points[i] for i in pareto_front(points)} == {p for p in points if not beaten(p)}


def test_memory_by_block_takes_the_largest_operator() -> None:
    assert memory_by_block(cost("x", 2)) == {"stem": 1800, "b0": 4200, "b1": 1400}
    names = ("b3.expand", "b3/dw", "stages.2.blocks.1.expand", "blocks.7.add", "first.depthwise", "stem", "pool")
    assert [block_of(n) for n in names] == ["b3", "b3", "s2.b1", "b7", "first", "stem", "pool"]


def test_memory_plot_has_both_schedules_and_the_limit() -> None:
    figure = plot_memory([cost("a", 1), cost("b", 3)], limit=4096)
    assert figure is not None
    axes = figure.axes[0]
    heights = [bar.get_height() * 1024 for bar in axes.patches]  # type: ignore[attr-defined]
    assert heights == pytest.approx([900, 2100, 700, 2700, 6300, 2100])
    assert axes.lines[0].get_ydata()[0] == 4  # type: ignore[index]


def test_cdf_marks_p80_of_the_winner() -> None:
    figure = plot_flops_cdf(stage1())
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    flops = np.linspace(0.5, 1.5, 40) * 48 * 1e4 / 1e6
    assert texts == [f"p80 = {np.quantile(flops, 0.8):.1f} M"]
    legend = figure.axes[0].get_legend()
    assert legend is not None and "(chosen)" in legend.get_texts()[0].get_text()


def test_subspaces_where_next_to_nothing_fits_are_not_ranked() -> None:
    assert [(s["resolution"], s["width"]) for s in ranked(stage1())] == [(48, 1.0), (32, 1.0), (48, 0.5), (32, 0.5)]
    for draw in (plot_flops_cdf, plot_flops_means, plot_flops_map):
        assert draw({"subspaces": [], "winner": None}) is None
    figure = plot_flops_map(stage1())
    assert figure is not None and "-" in {text.get_text() for text in figure.axes[0].texts}


def test_sram_map_shows_every_cell() -> None:
    figure = plot_sram_map([32, 48, 64], [0.5, 1.0], [[1024, 2048, 3072], [2048, 4096, 8192]], limit=3000)
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2", "3", "2", "4", "8"]


def test_evolution_best_so_far_never_falls() -> None:
    history = [Candidate(g, a, True) for g, a in ((0, 50.0), (0, 60.0), (1, 55.0), (2, 70.0))]
    figure = plot_evolution(history)
    assert figure is not None
    lines = {str(line.get_label()): list(line.get_ydata()) for line in figure.axes[0].lines}  # type: ignore[arg-type]
    assert lines["best so far"] == [60, 60, 70] and lines["mean of the generation"] == [55, 55, 70]


def test_pareto_mode_shows_the_front(run_dir: Path) -> None:
    assert 'id="hypervolume"' not in write_html(run_dir).read_text()
    front = {"objectives": ["sram"], "networks": [{"accuracy": 0.7}], "hypervolume": [0.1, 0.25]}
    (run_dir / "front.json").write_text(json.dumps(front))
    assert 'id="hypervolume"' in write_html(run_dir).read_text()
    assert ("Pareto front", "1 networks, hypervolume 0.2500") in summary_rows(read_run(run_dir))
