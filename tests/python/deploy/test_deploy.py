"""Firmware in QEMU: byte-equal, sizes as planned; refusals that say what to do."""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynas import _core
from tinynas.deploy import DeployOptions, deploy, pipeline
from tinynas.deploy.sample_networks import small_network as sample_network
from tinynas.errors import CheckError, InfeasibleError, InputError
from tinynas.models import load_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export_c"))
from test_cproject import small_network

needs_tools = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)


def picture_file(folder: Path, count: int = 1) -> tuple[Path, np.ndarray]:
    pictures = np.random.default_rng(5).integers(-128, 128, (count, 12, 9, 3), dtype=np.int8)
    path = folder / "pictures.bin"
    path.write_bytes(pictures.tobytes())
    return path, pictures


@needs_tools
@pytest.mark.parametrize("target", ["qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55"])
@pytest.mark.parametrize("schedule", ["streaming", "layerwise", "tinyengine"])
def test_emulated_bytes_are_the_interpreters(tmp_path: Path, target: str, schedule: str) -> None:
    graph = small_network()
    path, pictures = picture_file(tmp_path, 3)
    options = DeployOptions(schedule=schedule, run=True, check_layers=True, input_files=[path])
    report = deploy(graph, target, tmp_path / "fw", options)
    expected = _core.run_batch(graph, [pictures])[0]
    assert Path(report["outputs"][0]).read_bytes() == expected.tobytes()
    tensors = _core.run(graph, [pictures[-1:]], all_tensors=True)
    for layer in report["layers"]:
        values = tensors[graph.operators[layer["index"]].outputs[0]]
        assert int(layer["crc32"], 16) == zlib.crc32(values.tobytes()), layer
    assert report["sram"]["arena_bytes"] == report["predicted"]["arena_bytes"]
    assert report["sram"]["other_bytes"] <= 512
    assert 0 < report["sram"]["stack_bytes"] <= 1024
    total = report["instructions"]
    assert abs(sum(layer["instructions"] for layer in report["layers"]) - total) < 0.1 * total


def network_with_constant_channels() -> _core.Graph:
    """small_network with channels 1 and 4 held by a ReLU from the stem to the classifier."""
    value = json.loads(small_network().to_json())
    bias = np.frombuffer(base64.b64decode(value["tensors"][2]["data"]), np.int32).copy()
    pointwise = np.frombuffer(base64.b64decode(value["tensors"][7]["data"]), np.int8).reshape(6, 6).copy()
    bias[[1, 4]], pointwise[[1, 4]] = -(10**7), 0
    value["tensors"][2]["data"] = base64.b64encode(bias.tobytes()).decode()
    value["tensors"][7]["data"] = base64.b64encode(pointwise.tobytes()).decode()
    return _core.Graph.from_json(json.dumps(value))


@needs_tools
@pytest.mark.parametrize("target", ["host", "qemu-m7", "qemu-m55"])
def test_shrinking_changes_no_byte(tmp_path: Path, target: str) -> None:
    graph = network_with_constant_channels()
    path, pictures = picture_file(tmp_path, 2)
    options = DeployOptions(run=True, check_layers=True, input_files=[path])
    small = deploy(graph, target, tmp_path / "small", options)
    full = deploy(graph, target, tmp_path / "full", dataclasses.replace(options, shrink=False))
    expected = _core.run_batch(graph, [pictures])[0].tobytes()
    assert Path(small["outputs"][0]).read_bytes() == Path(full["outputs"][0]).read_bytes() == expected
    assert small["shrink"]["channels_removed"] == 4
    assert full["shrink"]["channels_removed"] == 0
    assert small["shrink"]["macs_after"] < small["shrink"]["macs_before"] == full["shrink"]["macs_after"]
    assert small["shrink"]["weights_after"] < small["shrink"]["weights_before"]
    assert small["shrink"]["arena_bytes_after"] == small["sram"]["arena_bytes"]
    assert small["shrink"]["arena_bytes_before"] == full["sram"]["arena_bytes"]
    # Checks of layers are those of the network as it came.
    assert [layer["crc32"] for layer in small["layers"]] == [layer["crc32"] for layer in full["layers"]]


def test_export_shrinks_and_keeps_the_outputs(tmp_path: Path) -> None:
    graph = network_with_constant_channels()
    (tmp_path / "model.json").write_text(graph.to_json())
    sizes = {}
    for name, option in (("small", []), ("full", ["--no-shrink"])):
        out = tmp_path / f"{name}.tflite"
        command = [sys.executable, "-m", "tinynas", "export", str(tmp_path / "model.json"), "--format", "tflite"]
        done = subprocess.run([*command, "--out", str(out), "--json", *option], capture_output=True, check=True)
        sizes[name] = json.loads(done.stdout)["shrink"]["weights_after"]
        exported = load_model(out)
        _, pictures = picture_file(tmp_path)
        assert _core.run(exported, [pictures])[0].tobytes() == _core.run(graph, [pictures])[0].tobytes()
    assert sizes["small"] < sizes["full"]


@needs_tools
def test_a_firmware_that_computes_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "reference_outputs", lambda graph, inputs: bytes(4))
    with pytest.raises(CheckError, match="picture 0: the outputs differ from those of the reference interpreter"):
        deploy(small_network(), "qemu-m7", tmp_path / "fw", DeployOptions(run=True))


@needs_tools
def test_board_link_and_emulated_run(tmp_path: Path) -> None:
    path, pictures = picture_file(tmp_path)
    graph = small_network()
    report = deploy(graph, "stm32f746", tmp_path / "fw", DeployOptions(run=True, input_files=[path]))
    assert report["latency_us"] > 0
    assert report["flash"]["total_bytes"] == report["flash"]["weights_bytes"] + report["flash"]["code_bytes"]
    assert Path(report["outputs"][0]).read_bytes() == _core.run(graph, [pictures])[0].tobytes()
    assert (tmp_path / "fw" / "stm32f746.map").is_file()
    header = subprocess.run(
        ["arm-none-eabi-readelf", "-S", str(tmp_path / "fw" / "stm32f746.elf")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "08000000" in header
    assert "20000000" in header


def test_host_needs_no_cross_compiler(tmp_path: Path) -> None:
    path, pictures = picture_file(tmp_path)
    graph = small_network()
    report = deploy(graph, "host", tmp_path / "fw", DeployOptions(run=True, check_layers=True, input_files=[path]))
    assert report["instructions"] is None
    assert Path(report["outputs"][0]).read_bytes() == _core.run(graph, [pictures])[0].tobytes()
    json.dumps(report)


def tiny_target(folder: Path, sram: int) -> str:
    text = f"name: stm32mini\ncore: cortex-m7\nsram_bytes: {sram}\nflash_bytes: 64k\nclock_hz: 1.0e+8\n"
    path = folder / "mini.yaml"
    path.write_text(text)
    return str(path)


@needs_tools
def test_what_does_not_fit_says_how_much_and_where(tmp_path: Path) -> None:
    with pytest.raises(
        InfeasibleError, match=r"B of SRAM, 1,100 B are there, most at operator .* smallest board that would"
    ):
        deploy(small_network(), tiny_target(tmp_path, 1100), tmp_path / "fw", DeployOptions())


@needs_tools
def test_the_linker_proves_the_fit(tmp_path: Path) -> None:
    graph = small_network()
    least = DeployOptions(prefer="memory")  # `speed` would plan for the smaller board anew
    arena = deploy(graph, "qemu-m7", tmp_path / "a", least)["sram"]["arena_bytes"]
    # Room for arena and stack, not for the bytes outside the arena: the plan fits, the link does not.
    with pytest.raises(CheckError, match="overflowed"):
        deploy(graph, tiny_target(tmp_path, arena + 1024), tmp_path / "b", least)


def test_missing_compiler_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CheckError, match=r"apt-get install .*gcc-arm-none-eabi"):
        deploy(small_network(), "qemu-m7", tmp_path / "fw", DeployOptions(run=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DeployOptions(prefer="luck"), "--prefer"),
        (DeployOptions(image="painted"), "--image"),
        (DeployOptions(schedule="waterfall"), "waterfall"),
        (DeployOptions(schedule="patch"), "only streaming, layerwise, tinyengine, auto"),
        (DeployOptions(schedule="streaming+recompute"), "only streaming, layerwise, tinyengine, auto"),
        (DeployOptions(input_files=[Path("/nonexistent")]), "no such file"),
        (DeployOptions(input_files=[Path("a"), Path("b")]), "one per input"),
    ],
)
def test_bad_options(tmp_path: Path, options: DeployOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        deploy(small_network(), "host", tmp_path / "fw", options)


def test_unknown_target(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nonesuch.*rp2040.*; or host, qemu-m3"):
        deploy(small_network(), "nonesuch", tmp_path / "fw", DeployOptions())


@needs_tools
def test_pictures_of_a_run(tmp_path: Path) -> None:
    """A run's validation pictures: firmware, host C code and interpreter agree on all of them."""
    rng = np.random.default_rng(1)
    for label in ("cat", "dog"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{number}.png")
    run = tmp_path / "runs" / "found"
    run.mkdir(parents=True)
    (run / "model.json").write_text(sample_network(2).to_json())
    (run / "config.json").write_text(json.dumps({"data": str(tmp_path / "data"), "seed": 0}))
    command = [sys.executable, "-m", "tinynas", "deploy", str(run), "--target", "stm32f746", "--run", "--json"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "fw"), "--pictures", "3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pictures"] == {"count": 3, "equal_to_host_c": 3, "same_class_as_host_c": 3}
    refused = subprocess.run(
        [*command, "--out", str(tmp_path / "fw"), "--pictures", "999"], capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "--pictures: expected 1 to" in refused.stderr
    (run / "config.json").unlink()
    done = subprocess.run([*command, "--out", str(tmp_path / "fw"), "--pictures", "3"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "--data" in done.stderr
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "fw"), "--pictures", "2", "--data", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pictures"] == {"count": 2, "equal_to_host_c": 2, "same_class_as_host_c": 2}
