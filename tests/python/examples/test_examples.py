"""The examples: each is built, and what can run without a board runs and says what the interpreter says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tinynas import _core
from tinynas.deploy import DeployOptions, deploy
from tinynas.deploy.sample_networks import small_network
from tinynas.export.cproject import export_c

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
needs_tools = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)


def network() -> _core.Graph:
    """With a classifier at its end."""
    return small_network(5)


def make(example: str, *goals: str) -> str:
    """What make prints; it must succeed."""
    command = ["make", "-s", "-C", str(EXAMPLES / example), *goals]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def outputs_of(graph: _core.Graph, picture: np.ndarray) -> list[int]:
    return [int(v) for v in _core.run(graph, [picture[None]])[0].reshape(-1)]


def ramp(graph: _core.Graph) -> np.ndarray:
    """The picture of bare_qemu and any_board."""
    _, height, width, channels = graph.tensors[graph.inputs[0]].shape
    y, i = np.mgrid[0:height, 0 : width * channels]
    return (3 * i + 5 * y).astype(np.uint8).view(np.int8).reshape(height, width, channels)


def camera_picture(graph: _core.Graph) -> np.ndarray:
    """The picture of the camera, in int8."""
    _, height, width, _ = graph.tensors[graph.inputs[0]].shape
    y, x = np.mgrid[0:height, 0:width]
    pixel = (x * 2113 + y * 739) & 0xFFFF
    red, green, blue = pixel >> 11, pixel >> 5 & 63, pixel & 31
    spread = [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
    return (np.stack(spread, axis=2) - 128).astype(np.int8)


@needs_tools
def test_bare_qemu(tmp_path: Path) -> None:
    graph = network()
    deploy(graph, "qemu-m7", tmp_path / "fw", DeployOptions())
    text = make("bare_qemu", f"FW={tmp_path / 'fw'}", f"BUILD={tmp_path / 'build'}", "run")
    assert text.strip().endswith(f"class {int(np.argmax(outputs_of(graph, ramp(graph)))):02d}")


@needs_tools
def test_camera(tmp_path: Path) -> None:
    graph = network()
    deploy(graph, "stm32f746", tmp_path / "fw", DeployOptions())
    options = [f"FW={tmp_path / 'fw'}", f"BUILD={tmp_path / 'build'}"]
    text = make("stm32f746_camera", *options, "all", "run")
    assert (tmp_path / "build" / "stm32f746.elf").is_file()
    printed = re.search(r"output((?: -?\d+)+)$", text, re.MULTILINE)
    assert printed, text
    assert [int(v) for v in printed[1].split()] == outputs_of(graph, camera_picture(graph))
    assert "lost 0\n" in text


def test_any_board_on_this_machine(tmp_path: Path) -> None:
    graph = network()
    export_c(graph, _core.make_oracle("streaming").plan(graph), tmp_path / "c")
    make("any_board", f"FW={tmp_path / 'c'}", f"BUILD={tmp_path / 'build'}")
    text = subprocess.run([tmp_path / "build" / "app"], capture_output=True, text=True, check=True).stdout
    assert text == f"class {int(np.argmax(outputs_of(graph, ramp(graph))))}\n"


@needs_tools
def test_any_board_on_a_cortex_m4(tmp_path: Path) -> None:
    graph = network()
    deploy(graph, "stm32f411", tmp_path / "fw", DeployOptions())
    fw = tmp_path / "fw"
    settings = {
        "FW": fw,
        "BUILD": tmp_path / "build",
        "CROSS": "arm-none-eabi-",
        "CPU": "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
        "SOURCES": f"app.c {fw / 'firmware' / 'startup.c'}",
        "LDFLAGS": f"-T {fw / 'stm32f411.ld'} -nostartfiles --specs=nano.specs",
    }
    make("any_board", *(f"{key}={value}" for key, value in settings.items()))
    assert (tmp_path / "build" / "app").is_file()
