"""The verbs as a user calls them: exit codes, JSON alone on standard output, nothing overwritten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
PUBLISHED = SHARED / "data" / "mcunet"
TABLE = {  # memory_model.md, sections 1 and 2: macs, params, act_bytes, sram_bytes under tinyengine
    "mcunet-10fps": (6_364_224, 749_840, 46_080, 50_064),
    "mcunet-5fps": (12_790_096, 636_232, 92_160, 98_024),
    "mcunet-256kb-1mb": (67_287_200, 729_392, 332_800, 219_776),
    "mcunet-320kb-1mb": (81_785_520, 737_408, 340_736, 266_344),
}


def tinynas(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tinynas", *map(str, args)], capture_output=True, text=True, check=False
    )


def json_of(*args: str | Path) -> Any:
    done = tinynas(*args, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="published architectures lie in ../shared")
@pytest.mark.parametrize("name", TABLE)
def test_profile_reproduces_the_published_table(name: str) -> None:
    report = json_of("profile", PUBLISHED / f"{name}_imagenet.json", "--schedule", "tinyengine")
    assert (report["macs"], report["params"], report["act_bytes"], report["sram_bytes"]) == TABLE[name]
    assert report["sram_bytes"] == report["activation_bytes"] + report["scratch_bytes"]
    assert report["peak_operator"] in {layer["name"] for layer in report["layers"]}
    assert sum(layer["macs"] for layer in report["layers"]) == report["macs"]


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="published architectures lie in ../shared")
@pytest.mark.parametrize("name", ["mcunet-256kb-1mb", "mcunet-320kb-1mb"])
def test_streaming_needs_at_most_two_fifths(name: str) -> None:
    file = PUBLISHED / f"{name}_imagenet.json"
    streaming = json_of("profile", file, "--schedule", "streaming", "--image", "streamed")
    assert streaming["sram_bytes"] <= 0.40 * TABLE[name][3]
    assert streaming["macs"] == TABLE[name][0]


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="published architectures lie in ../shared")
@pytest.mark.parametrize("name", ["mcunet-256kb-1mb", "mcunet-320kb-1mb"])
def test_four_bits_halve_what_papers_count(name: str) -> None:
    """The published int4 networks are larger ones that fit the same budget."""
    file = PUBLISHED / f"{name}-int4_imagenet.json"
    eight = json_of("profile", file, "--schedule", "tinyengine")
    four = json_of("profile", file, "--schedule", "tinyengine", "--bits", "4")
    assert (four["macs"], four["params"]) == (eight["macs"], eight["params"])
    assert 2 * four["act_bytes"] == eight["act_bytes"]
    assert eight["flash_bytes"] > 2**20 > four["flash_bytes"]


def test_bits_that_nothing_has_are_refused(tmp_path: Path) -> None:
    done = tinynas("profile", write_arch(tmp_path), "--bits", "3")
    assert done.returncode == 2
    assert "--bits" in done.stderr


def test_fits_counts_the_platform(tmp_path: Path) -> None:
    board = {"name": "tight", "core": "cortex-m7", "sram_bytes": 10**6, "flash_bytes": 10**6, "clock_hz": 1e8}
    arch = write_arch(tmp_path)
    least = ("profile", arch, "--prefer", "memory")  # `speed` would plan for the smaller board anew
    needs = json_of(*least, "--target", write_yaml(tmp_path / "wide.yaml", board))
    assert needs["fits"] is True
    board["sram_bytes"] = needs["sram_bytes"] + 99
    board["overhead"] = {"tinynas": {"sram_bytes": 100, "flash_bytes": 0}}
    assert json_of(*least, "--target", write_yaml(tmp_path / "tight.yaml", board))["fits"] is False


def test_space_names_a_winner_among_its_subspaces() -> None:
    result = json_of("space", "--space", "scenes", "--sram", "16k", "--flash", "128k", "--samples", "40")
    winner = result["winner"]
    best = max((s for s in result["subspaces"] if s["satisfying"] >= 10), key=lambda s: s["mean_flops"])
    assert (best["resolution"], best["width"]) == (winner["resolution"], winner["width"])
    assert {"resolution", "width", "samples", "satisfying", "mean_flops", "p80_flops"} <= set(best)


def test_an_infeasible_budget_is_an_answer() -> None:
    done = tinynas("space", "--space", "scenes", "--sram", "1k", "--flash", "1M", "--samples", "10", "--json")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "smallest" in done.stderr
    assert "SRAM" in done.stderr


SUPERNET = str(Path(__file__).resolve().parents[3] / "models" / "cifar10-supernet" / "supernet.pt")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["space", "--sram", "3x"], "--sram"),
        (["space", "--space", "nowhere.yaml", "--sram", "1M"], "nowhere.yaml"),
        (["space", "--target", "stm32f999"], "stm32f746"),
        (["profile", "nothing.json"], "nothing.json"),
        (["search"], "budget"),
        (["profile", "nothing.json", "--schedule", "auto", "--mac-budget", "-1"], "mac-budget"),
        (["search", "--sram", "320k", "--data", "no_such_folder"], "no_such_folder"),
        # Refused before the data set is read: there is none.
        (["search", "--sram", "320k", "--data", "no_such_folder", "--supernet", "none.pt"], "none.pt"),
        (["search", "--sram", "320k", "--data", "no_such_folder", "--teacher", "no_run"], "no_run"),
        (["search", "--sram", "320k", "--data", "no_such_folder", "--init", "no_run"], "no_run"),
        (["search", "--sram", "320k", "--data", "no_such_folder", "--init", SUPERNET], "expected a finetuned network"),
        (["search", "--sram", "320k", "--data", "no_such_folder", "--arch", str(Path(SUPERNET).parent)], "arch.json"),
        (["search", "--sram", "320k", "--data", "no_such_folder", "--train", "no_recipe"], "no_recipe"),
        (["search", "--sram", "320k", "--data", "no_such_folder", "--device", "cuda:99"], "cuda:99"),
        (["train", "--data", "no_such_folder", "--out", "o", "--train", "no_recipe"], "no_recipe"),
        (["train", "--data", "no_such_folder", "--out", "o", "--space", "no_space"], "no_space"),
        (["train", "--data", "no_such_folder", "--out", "o", "--device", "nonsense"], "nonsense"),
        (["train", "--data", "no_such_folder", "--out", "o", "--init", "none.pt"], "none.pt"),
        (["train", "--data", "no_such_folder", "--out", "o", "--alone", "--qat", "o"], "--qat"),
    ],
)
def test_bad_input_ends_with_two_and_names_the_place(args: list[str], message: str) -> None:
    done = tinynas(*args)
    assert done.returncode == 2
    assert message in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_a_teacher_is_trained_alone(tmp_path: Path, small_search: list[str]) -> None:
    pytest.importorskip("tinynas._supernet")
    given = dict(zip(small_search[::2], small_search[1::2], strict=True))
    options = [part for key in ("--data", "--space", "--train") for part in (key, given[key])]
    value = json_of("train", "--alone", "--out", tmp_path / "teacher", *options)
    assert value["arch"]["width"] == 1.0
    assert value["arch"]["resolution"] == 20
    assert 0.5 <= value["accuracy"]["val"] <= 1
    assert json_of("train", "--alone", "--out", tmp_path / "teacher", *options) == value
    assert (tmp_path / "teacher" / "finetune.pt").is_file()


def test_an_unknown_key_of_a_space_names_the_nearest(tmp_path: Path) -> None:
    space = yaml.safe_load((Path(__file__).parents[3] / "configs/spaces/scenes.yaml").read_text())
    space["width"] = space.pop("widths")
    done = tinynas("space", "--space", write_yaml(tmp_path / "mine.yaml", space), "--sram", "1M")
    assert done.returncode == 2
    assert "mine.yaml" in done.stderr.replace("\n", "")
    assert "widths" in done.stderr


def test_a_target_without_sram_is_refused(tmp_path: Path) -> None:
    board = write_yaml(tmp_path / "b.yaml", {"name": "b", "core": "cortex-m7", "flash_bytes": "1M", "clock_hz": 1e8})
    done = tinynas("space", "--target", board)
    assert done.returncode == 2
    assert "sram_bytes" in done.stderr


def test_boards_lists_the_bundled_targets() -> None:
    names = {board["name"] for board in json_of("boards")["boards"]}
    assert {"stm32f412", "stm32f746", "stm32f765", "stm32h743"} <= names


def test_boards_say_which_of_them_a_network_fits(tmp_path: Path) -> None:
    for board in json_of("boards", write_arch(tmp_path), "--schedule", "auto")["boards"]:
        model = board["model"]
        assert model["chosen"].startswith("streaming")
        assert model["sram_bytes"] > 0
        assert model["fits"] is (
            model["sram_bytes"] < board["sram_bytes"] and model["flash_bytes"] < board["flash_bytes"]
        )


def test_schedules_that_recompute_count_it(tmp_path: Path) -> None:
    arch = write_arch(tmp_path, 96)
    once = json_of("profile", arch, "--schedule", "streaming", "--prefer", "memory")
    for schedule in ("patch", "streaming+recompute"):
        report = json_of("profile", arch, "--schedule", schedule, "--mac-budget", "80")
        assert once["macs"] <= report["macs"] <= 1.8 * once["macs"]
        assert sum(layer["macs"] for layer in report["layers"]) == report["macs"]
        assert report["chosen"]
    least = json_of("profile", arch, "--schedule", "streaming+recompute", "--mac-budget", "80")["sram_bytes"]
    assert least < once["sram_bytes"]
    enough = json_of("profile", arch, "--schedule", "auto", "--sram", str(once["sram_bytes"]))
    assert enough["macs"] == once["macs"]
    tight = json_of("profile", arch, "--schedule", "auto", "--sram", str(least), "--mac-budget", "80")
    assert tight["macs"] > once["macs"]
    assert tight["sram_bytes"] == least


def test_export_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = tinynas("export", write_arch(tmp_path), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "exists" in done.stderr


def write_yaml(path: Path, value: Any) -> Path:
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    return path


def write_arch(folder: Path, resolution: int = 48) -> Path:
    """An arch file of the space `scenes`, as a run holds one."""
    import tinynas._core as _core

    from tinynas.config.space import load_space

    space = load_space("scenes")
    arch = _core.sample(space.to_core(), resolution, 0.5, _core.Rng(1))
    path = folder / "arch.json"
    path.write_text(json.dumps({"space": space.as_json(), "arch": json.loads(arch.to_json())}), encoding="utf-8")
    return path
