"""Random networks, many in one firmware, on every emulated core."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "firmware"))

import emulator
import random_graphs

NETWORKS = 16  # of 500: `python tests/firmware/random_graphs.py --count 500`


def _need_tools() -> None:
    if emulator.missing_tools() or emulator.find_program("firmware_graphs") is None:
        pytest.skip(f"needs firmware_graphs built and {', '.join(emulator.missing_tools()) or 'nothing else'}")


@pytest.mark.parametrize("core", emulator.CORES)
def test_random_networks(core: str, tmp_path: Path) -> None:
    _need_tools()
    first = 1000 * (1 + emulator.CORES.index(core))
    results = random_graphs.run_graphs(core, first, NETWORKS, tmp_path)
    assert [r for r in results if r.verdict != "ok"] == []


@pytest.mark.parametrize("core", ["cortex-m7", "cortex-m55", "cortex-m3"])
def test_random_networks_of_four_bits(core: str, tmp_path: Path) -> None:
    _need_tools()
    first = 10000 + 1000 * list(emulator.CORES).index(core)
    results = random_graphs.run_graphs(core, first, NETWORKS, tmp_path, packed=True)
    assert [r for r in results if r.verdict != "ok"] == []


def test_wrong_answers_and_overruns_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _need_tools()
    compile_file = emulator.compile_file

    def tampering(core: str, path: Path, folder: Path, flags: list[str]) -> Path:
        if path.name == "graphs.c":
            text = path.read_text()
            path.write_text(text.replace("net0_crc[] = {", "net0_crc[] = {1u + ", 1))
        if path.name == "net1.c":  # its last act is a write behind its own variables
            end = "  image_rows = 0;\n}\n"
            text = path.read_text()
            assert text.count(end) == 1
            path.write_text(text.replace(end, "  arena[sizeof arena + 64] = 1;\n" + end))
        return compile_file(core, path, folder, flags)

    monkeypatch.setattr(emulator, "compile_file", tampering)
    results = random_graphs.run_graphs("cortex-m7", 4, 3, tmp_path)
    assert [r.verdict for r in results] == ["operator 0 WRONG", "OVERRUN", "ok"]
