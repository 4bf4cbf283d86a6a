"""Oracles in shared libraries: they conform, and what goes wrong in one is reported as its fault."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

_core: Any = pytest.importorskip("tinynas._core")

from typer.testing import CliRunner  # noqa: E402

from tinynas.cli import app  # noqa: E402
from tinynas.errors import CheckError, InputError  # noqa: E402
from tinynas.oracle import find_faults, sample_graphs  # noqa: E402
from tinynas.plugin import PluginOracle  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "oracle_plugin" / "live_tensors.c"

FAULTY = """
#include "plugin.h"
#include <stdio.h>
uint32_t tn_oracle_abi_version(void) { return VERSION; }
const char* tn_oracle_name(void) { return "faulty"; }
int32_t tn_oracle_cost_of(const tn_oracle_graph* graph, tn_oracle_cost* cost, char* message, int32_t size) {
  (void)graph;
  (void)cost;
  puts("printed");
  BODY
}
"""


def build(source: Path, library: Path, *flags: str) -> Path:
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{ROOT / 'src' / 'oracle'}"]
    subprocess.run([*command, *flags, "-o", str(library), str(source)], check=True)
    return library


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(EXAMPLE, tmp_path_factory.mktemp("plugin") / "liblive_tensors.so")


def faulty(folder: Path, body: str, version: int = 1) -> Path:
    source = folder / "faulty.c"
    source.write_text(FAULTY.replace("BODY", body).replace("VERSION", str(version)))
    return build(source, folder / "libfaulty.so")


def test_the_example_conforms(example: Path) -> None:
    oracle = PluginOracle(example)
    assert oracle.name == "live-tensors"
    assert find_faults(oracle) == []
    graph = sample_graphs(1)[0]
    cost = oracle.cost(graph)
    assert cost.sram_bytes == cost.act_bytes == _core.make_oracle("streaming").cost(graph).act_bytes
    assert oracle.plan(graph) is None


def test_a_crash_is_the_plugins_and_the_next_question_is_answered(tmp_path: Path) -> None:
    oracle = PluginOracle(faulty(tmp_path, "*(volatile int*)8 = 1; message[size - 1] = 0; return 0;"))
    for _ in range(2):
        with pytest.raises(CheckError, match=r"libfaulty\.so: its process was ended by SIGSEGV"):
            oracle.cost(sample_graphs(1)[0])


def test_a_hang_is_ended(tmp_path: Path) -> None:
    oracle = PluginOracle(faulty(tmp_path, "(void)message; (void)size; for (volatile int i = 0;; ++i) {}"), 2.0)
    with pytest.raises(CheckError, match="no answer within 2 s"):
        oracle.cost(sample_graphs(1)[0])


def test_a_refusal_carries_the_message(tmp_path: Path) -> None:
    oracle = PluginOracle(faulty(tmp_path, 'snprintf(message, (size_t)size, "no depthwise"); return 1;'))
    with pytest.raises(InputError, match=r"libfaulty\.so: no depthwise"):
        oracle.cost(sample_graphs(1)[0])


def test_other_versions_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected version 1 of the interface, got 7"):
        PluginOracle(faulty(tmp_path, "(void)message; (void)size; return 0;", version=7))
    text = tmp_path / "text.so"
    text.write_text("no library")
    with pytest.raises(InputError, match="cannot be loaded"):
        PluginOracle(text)
    with pytest.raises(InputError, match="no such file"):
        PluginOracle(tmp_path / "missing.so")


def test_profile_takes_a_plugin(example: Path, tmp_path: Path) -> None:
    graph = sample_graphs(1)[0]
    model = tmp_path / "model.json"
    model.write_text(graph.to_json())
    result = CliRunner().invoke(app, ["profile", str(model), "--oracle", str(example), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["schedule"] == "live-tensors"
    assert report["sram_bytes"] == report["act_bytes"]


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "python_oracle.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stage 1: resolution")
    assert lines[1].startswith("best: ")
