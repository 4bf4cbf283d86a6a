"""Targets: the bundled boards, and what a user's file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinynas import _core
from tinynas.cli.common import OracleRequest, make_oracle
from tinynas.config.loader import configs_dir
from tinynas.config.target import load_target
from tinynas.deploy.sample_networks import small_network, varied_network
from tinynas.errors import InputError

BUNDLED = sorted(path.stem for path in configs_dir("targets").glob("*.yaml"))

MINE = "name: mine\ncore: cortex-m4\nsram_bytes: 96k\nflash_bytes: 524288\nclock_hz: 80.0e+6\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_targets_load_under_their_own_name(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.sram_bytes < target.flash_bytes


def test_the_boards_of_the_published_figures_are_there() -> None:
    assert {"stm32f412", "stm32f746", "stm32f765", "stm32h743"} <= set(BUNDLED)
    f746 = load_target("stm32f746")
    assert (f746.core, f746.sram_bytes, f746.flash_bytes) == ("cortex-m7", 320 * 1024, 1024 * 1024)
    assert f746.overhead_of("tinyengine").sram_bytes == 30 * 1024
    assert f746.overhead_of("tinyengine").flash_bytes == 100 * 1024
    assert f746.overhead_of("another").sram_bytes == 0
    assert load_target("stm32h743").overhead_of("tinyengine").flash_bytes == 65_024


def test_a_users_target_is_read_from_its_path(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, MINE))
    assert (target.sram_bytes, target.flash_bytes, target.clock_hz) == (98_304, 524_288, 80e6)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (MINE.replace("sram_bytes: 96k\n", ""), "missing key 'sram_bytes'"),
        (MINE.replace("96k", "0"), "'sram_bytes'"),
        (MINE.replace("96k", "3x"), "'sram_bytes'"),
        (MINE.replace("cortex-m4", "z80"), "'core'"),
        (MINE + "clock_khz: 1\n", "did you mean 'clock_hz'"),
        (MINE + "overhead:\n  tinynas:\n    ram_bytes: 1\n", "ram_bytes"),
        (MINE.replace("80.0e+6", "-1"), "'clock_hz'"),
    ],
)
def test_bad_targets_are_refused_with_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as error:
        load_target(write(tmp_path, text))
    assert "mine.yaml" in str(error.value)


def test_an_unknown_name_lists_the_bundled_ones() -> None:
    with pytest.raises(InputError, match="stm32f746"):
        load_target("stm32f7")


def test_the_core_gets_the_same_value() -> None:
    pytest.importorskip("tinynas._core")
    target = load_target("stm32f746").to_core()
    assert (target.name, target.core, target.sram_bytes) == ("stm32f746", "cortex-m7", 320 * 1024)
    assert target.overhead["tinyengine"].flash_bytes == 100 * 1024


@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m7", "cortex-m55"])
@pytest.mark.parametrize("prefer", ["speed", "memory"])
def test_flash_is_what_the_generator_writes(core: str, prefer: str) -> None:
    for graph in (small_network(5), varied_network(0)):
        oracle = make_oracle(OracleRequest(core=core, prefer=prefer))
        written = _core.generate_project(
            graph, oracle.plan(graph), name="net", core=core, prefer=getattr(_core.Prefer, prefer)
        )
        assert oracle.cost(graph).flash_bytes == written.weights_bytes
