"""The four published models: every layer and the outputs equal what TensorFlow Lite Micro computed."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

import numpy as np
import pytest

from tinynas import _core
from tinynas.tflite import load_tflite

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
MODELS = {
    "kws_ref_model": "mlperf_tiny/kws_ref_model.tflite",
    "pretrainedResnet_quant": "mlperf_tiny/pretrainedResnet_quant.tflite",
    "vww_96_int8": "mlperf_tiny/vww_96_int8.tflite",
    "te_vww_i8": "tinyengine/vww_int8_io.tflite",
}


def load(name: str) -> tuple[_core.Graph, np.ndarray]:
    path = DATA / MODELS[name]
    if not path.exists():
        pytest.skip(f"needs the shared data: {path}")
    graph = load_tflite(path)
    x = np.fromfile(DATA / f"golden/golden_{name}_input.bin", np.int8)
    return graph, x.reshape(graph.tensors[graph.inputs[0]].shape)


@pytest.mark.parametrize("name", MODELS)
def test_every_layer_has_the_golden_crc(name: str) -> None:
    graph, x = load(name)
    values = _core.run(graph, [x], all_tensors=True)
    crcs = {op.source_index: zlib.crc32(values[op.outputs[0]].tobytes()) for op in graph.operators}
    with (DATA / f"golden/layers_{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    folded = [row["op"] for row in rows if int(row["idx"]) not in crcs]
    assert set(folded) <= {"PAD"}
    wrong = [
        (row["idx"], row["op"])
        for row in rows
        if int(row["idx"]) in crcs and crcs[int(row["idx"])] != int(row["out_crc32_bytes"], 16)
    ]
    assert wrong == []
    assert len(crcs) + len(folded) == len(rows)


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_the_golden_bytes(name: str) -> None:
    graph, x = load(name)
    outputs = _core.run(graph, [x])
    for position, output in enumerate(outputs):
        golden = (DATA / f"golden/golden_{name}_output{position}.bin").read_bytes()
        assert output.tobytes() == golden


def test_float_ends_give_the_same_network() -> None:
    """vww.tflite is te_vww_i8 between QUANTIZE and DEQUANTIZE."""
    inner, x = load("te_vww_i8")
    outer = load_tflite(DATA / "tinyengine/vww.tflite")
    assert [op.kind for op in outer.operators][:1] == ["quantize"]
    assert [op.kind for op in outer.operators][-1:] == ["dequantize"]
    tensor = inner.tensors[inner.inputs[0]]
    real = (x.astype(np.float32) - np.float32(tensor.zero_point[0])) * np.float32(tensor.scale[0])
    out = inner.tensors[inner.outputs[0]]
    expected = (_core.run(inner, [x])[0].astype(np.float32) - out.zero_point[0]) * np.float32(out.scale[0])
    assert np.array_equal(_core.run(outer, [real])[0], expected)
