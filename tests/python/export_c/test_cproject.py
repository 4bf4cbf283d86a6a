"""C projects built by this machine's compiler: bytes equal to the interpreter's, the arena equal to the plan's."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinynas import _core
from tinynas.errors import InputError
from tinynas.export.cproject import arena_in_object, build_host, export_c, run_host

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
GOLDENS = {
    "kws_ref_model": "mlperf_tiny/kws_ref_model.tflite",
    "te_vww_i8": "tinyengine/vww_int8_io.tflite",
    "pretrainedResnet_quant": "mlperf_tiny/pretrainedResnet_quant.tflite",
    "vww_96_int8": "mlperf_tiny/vww_96_int8.tflite",
}


def _constant(values: np.ndarray[Any, Any], scale: list[float] | None = None, axis: int = 0) -> dict[str, Any]:
    dtype = {"int8": "s8", "int32": "s32"}[str(values.dtype)]
    entry: dict[str, Any] = {"name": "c", "shape": list(values.shape), "dtype": dtype, "constant": True}
    entry["data"] = base64.b64encode(values.tobytes()).decode()
    if scale is not None:
        entry |= {"scale": scale, "zero_point": [0] * len(scale), "axis": axis}
    return entry


def small_network(seed: int = 3) -> _core.Graph:
    """conv 3x3 s2 -> depthwise 3x3 -> conv 1x1 with a residual -> average pool -> fully connected."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int, axis: int) -> dict[str, Any]:
        scales = [float(s) for s in rng.uniform(0.001, 0.01, shape[axis])]
        return _constant(rng.integers(-127, 128, shape, dtype=np.int8), scales, axis)

    def activation(shape: list[int], zero_point: int) -> dict[str, Any]:
        return {"name": "a", "shape": shape, "dtype": "s8", "scale": [0.05], "zero_point": [zero_point]}

    def bias(channels: int) -> dict[str, Any]:
        return _constant(rng.integers(-3000, 3000, channels, dtype=np.int32))

    tensors = [
        activation([1, 12, 9, 3], -1),
        weights(6, 3, 3, 3, axis=0),
        bias(6),
        activation([1, 6, 5, 6], -128),
        weights(1, 3, 3, 6, axis=3),
        bias(6),
        activation([1, 6, 5, 6], 3),
        weights(6, 1, 1, 6, axis=0),
        activation([1, 6, 5, 6], 7),
        activation([1, 6, 5, 6], -9),
        activation([1, 1, 1, 6], -9),
        activation([1, 6], -9),
        weights(4, 6, axis=0),
        bias(4),
        activation([1, 4], 0),
    ]
    window = {"pad_top": 1, "pad_left": 1, "pad_bottom": 1, "pad_right": 1}
    stem = {"op": "conv2d", "name": "stem", "inputs": [0, 1, 2], "outputs": [3], "stride_h": 2, "stride_w": 2}
    operators = [
        {**stem, **window, "activation": "relu6"},
        {"op": "depthwise_conv2d", "name": "dw", "inputs": [3, 4, 5], "outputs": [6], **window},
        {"op": "conv2d", "name": "pw", "inputs": [6, 7, -1], "outputs": [8]},
        {"op": "add", "name": "sum", "inputs": [3, 8], "outputs": [9]},
        {"op": "average_pool", "name": "pool", "inputs": [9], "outputs": [10], "kernel_h": 6, "kernel_w": 5},
        {"op": "reshape", "name": "flat", "inputs": [10], "outputs": [11]},
        {"op": "fully_connected", "name": "fc", "inputs": [11, 12, 13], "outputs": [14]},
    ]
    graph = {"format": "tinynas-graph", "version": 1, "name": "small", "tensors": tensors, "operators": operators}
    return _core.Graph.from_json(json.dumps(graph | {"inputs": [0], "outputs": [14]}))


def streaming_plan(graph: _core.Graph, streamed: bool, prefer: str = "memory") -> _core.Plan:
    options = _core.ScheduleOptions(image_streamed=streamed, prefer=getattr(_core.Prefer, prefer))
    plan = _core.make_oracle("streaming", options).plan(graph)
    assert plan is not None
    return plan


@pytest.mark.parametrize("streamed", [True, False])
def test_many_pictures_equal_the_interpreter(tmp_path: Path, streamed: bool) -> None:
    graph = small_network()
    plan = streaming_plan(graph, streamed)
    project = export_c(graph, plan, tmp_path / "c")
    pictures = np.random.default_rng(1).integers(-128, 128, (20, 12, 9, 3), dtype=np.int8)
    run = run_host(project, [pictures])
    expected = _core.run_batch(graph, [pictures])
    assert len(np.unique(expected[0])) > 10
    np.testing.assert_array_equal(run.outputs[0], expected[0])
    assert arena_in_object(project) == plan.arena_bytes == project.arena_bytes


def test_layer_checks_are_those_of_the_interpreters_tensors(tmp_path: Path) -> None:
    import zlib

    graph = small_network()
    project = export_c(graph, streaming_plan(graph, True), tmp_path / "c")
    picture = np.random.default_rng(2).integers(-128, 128, (1, 12, 9, 3), dtype=np.int8)
    run = run_host(project, [picture], build_host(project, check_layers=True))
    tensors = _core.run(graph, [picture], all_tensors=True)
    for index, operator in enumerate(graph.operators):
        assert run.crc32[index] == zlib.crc32(tensors[operator.outputs[0]].tobytes()), operator.name


def test_only_the_kernels_used_are_copied(tmp_path: Path) -> None:
    graph = small_network()
    project = export_c(graph, streaming_plan(graph, True, "speed"), tmp_path / "c")
    kernels = {path.stem for path in (project.folder / "engine" / "portable").glob("*.c")}
    assert {"conv2d", "depthwise", "pointwise", "sum"} <= kernels
    assert not kernels & {"softmax", "resize", "transpose_conv", "pool"}


def test_bad_output_folder_and_name(tmp_path: Path) -> None:
    graph = small_network()
    plan = streaming_plan(graph, True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="expected a folder"):
        export_c(graph, plan, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(InputError, match="C identifier"):
        export_c(graph, plan, tmp_path / "c", name="1bad")


def test_wrong_input_shape_is_named(tmp_path: Path) -> None:
    graph = small_network()
    project = export_c(graph, streaming_plan(graph, True), tmp_path / "c")
    with pytest.raises(InputError, match="expected 2 arrays of 324 bytes"):
        run_host(project, [np.zeros((2, 9, 9, 3), np.int8)])


@pytest.mark.parametrize("prefer", ["memory", "speed"])
@pytest.mark.parametrize("model", sorted(GOLDENS))
def test_every_layer_of_the_goldens(tmp_path: Path, model: str, prefer: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data")
    from tinynas.tflite import load_tflite

    graph = load_tflite(SHARED / GOLDENS[model])
    project = export_c(graph, streaming_plan(graph, True, prefer), tmp_path / "c")
    shape = graph.tensors[graph.inputs[0]].shape
    picture = np.frombuffer((SHARED / f"golden/golden_{model}_input.bin").read_bytes(), np.int8).reshape(shape)
    run = run_host(project, [picture], build_host(project, check_layers=True))
    assert run.outputs[0].tobytes() == (SHARED / f"golden/golden_{model}_output0.bin").read_bytes()
    with (SHARED / f"golden/layers_{model}.csv").open() as file:
        golden = {int(row["idx"]): int(row["out_crc32_bytes"], 16) for row in csv.DictReader(file)}
    for index, operator in enumerate(graph.operators):
        assert run.crc32[index] == golden[operator.source_index], operator.name
