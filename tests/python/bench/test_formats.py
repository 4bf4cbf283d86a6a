"""One network in three formats: packed weights, packed rows, and firmware whose outputs are the interpreter's."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench" / "cortex_m"))

import formats
import tinynas._core as _core

from tinynas.deploy.sample_networks import small_network
from tinynas.models import load_model

VWW = Path(__file__).resolve().parents[4] / "shared" / "data" / "tinyengine" / "vww_int8_io.tflite"
CONSTANTS_PER_CHANNEL = 8


def constant_bytes(graph: _core.Graph) -> int:
    """What the oracle counts beside weights: bias and scale of every output channel."""
    channels = 0
    for operator in graph.operators:
        if operator.kind in ("conv2d", "depthwise_conv2d", "fully_connected"):
            shape = graph.tensors[operator.inputs[1]].shape
            channels += shape[3 if operator.kind == "depthwise_conv2d" else 0]
    return CONSTANTS_PER_CHANNEL * int(channels)


@pytest.mark.skipif(not VWW.is_file(), reason="the published network lies in ../shared")
def test_four_bits_halve_flash_and_rows_of_the_published_network() -> None:
    network = formats.float_network(load_model(str(VWW)))
    oracle = _core.make_oracle("streaming")
    graphs = {form: formats.in_format(network, form) for form in formats.FORMATS}
    costs = {form: oracle.cost(graph) for form, graph in graphs.items()}
    weights = {form: costs[form].flash_bytes - constant_bytes(graph) for form, graph in graphs.items()}
    ends = [o for o in graphs["w8a8"].operators if o.kind in ("conv2d", "depthwise_conv2d", "fully_connected")]
    wide = sum(_size(graphs["w8a8"].tensors[o.inputs[1]].shape) for o in (ends[0], ends[-1]))  # keep their 8 bits
    assert 0 <= weights["w4a8"] - wide - (weights["w8a8"] - wide) / 2 <= len(ends)
    assert costs["w4a8"].flash_bytes == costs["w4a4"].flash_bytes
    assert costs["w4a8"].sram_bytes == costs["w8a8"].sram_bytes
    assert costs["w4a4"].sram_bytes <= 0.55 * costs["w8a8"].sram_bytes


def _size(shape: list[int]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
    reason="needs gcc-arm-none-eabi and qemu-system-arm",
)
@pytest.mark.parametrize("core", ["cortex-m7", "cortex-m55"])
def test_firmware_of_every_format_computes_what_the_interpreter_does(core: str, tmp_path: Path) -> None:
    network = formats.float_network(small_network(2))
    for form in formats.FORMATS:  # measure() compares the outputs
        measured = formats.measure(formats.in_format(network, form), form, core, tmp_path / form)
        assert measured.instructions > 0
