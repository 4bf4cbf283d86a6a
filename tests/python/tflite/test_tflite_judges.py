"""Our interpreter on imported files against independent runtimes: single operators and whole networks, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from judges import run_litert, run_tflm
from nets import ACTIVATIONS, Net
from random_networks import random_network

from tinynas import _core
from tinynas.tflite import load_tflite

ALL_BYTES = np.arange(-128, 128).astype(np.int8)


def check(data: bytes, inputs: list[np.ndarray], judges: list[Callable[..., list[np.ndarray]]]) -> int:
    """Number of outputs compared; fails on the first byte that differs."""
    ours = _core.run(load_tflite(data), inputs)
    for judge in judges:
        theirs = judge(data, inputs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes(), f"{judge.__name__}: {np.count_nonzero(a != b)} of {a.size} differ"
    return sum(a.size for a in ours)


def judges_of(net: Net) -> list[Callable[..., list[np.ndarray]]]:
    return [*([] if net.only_litert else [run_tflm]), *([] if net.only_tflm else [run_litert])]


@pytest.mark.parametrize("seed", range(0, 240, 8))
def test_random_networks(seed: int) -> None:
    compared = 0
    for s in range(seed, seed + 8):
        data, net = random_network(s, extremes=False)
        if judges_of(net):
            compared += check(data, net.random_inputs(), judges_of(net))
    assert compared > 0


@pytest.mark.parametrize(
    "code", ["LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "SOFTMAX", "QUANTIZE"]
)
def test_functions_of_one_value_on_all_256(code: str) -> None:
    for seed in range(25):
        net = Net(np.random.default_rng(seed))
        wide = seed % 5 == 0  # LiteRT's own table differs from TensorFlow Lite Micro's arithmetic at steps above 4
        x = net.input((1, 16, 16, 1), net.scale(1.0, 30.0) if wide else net.scale(1e-4, 4.0))
        y = net.quantize(x, ["INT8", "UINT8"][seed % 2]) if code == "QUANTIZE" else net.unary(code, x)
        if code == "HARD_SWISH" and net.spec(y).scale[0] * 100 < net.spec(x).scale[0]:
            continue
        net.only_tflm = wide and code in ("LOGISTIC", "TANH")
        check(net.finish([y]), [ALL_BYTES.reshape(1, 16, 16, 1)], judges_of(net))


@pytest.mark.parametrize("code", ["HARD_SWISH", "LEAKY_RELU", "RELU", "QUANTIZE"])
def test_scales_many_decades_apart(code: str) -> None:
    compared = 0
    for seed in range(60):
        net = Net(np.random.default_rng(seed))
        x = net.input((1, 16, 16, 1), net.scale(1e-8, 1e3))
        y = net.quantize(x) if code == "QUANTIZE" else net.unary(code, x)
        net.spec(y).scale = [net.scale(1e-8, 1e3)]
        ratio = net.spec(x).scale[0] / net.spec(y).scale[0]
        if ratio < (100 if code == "HARD_SWISH" else 2**29):  # above, the runtimes stop or overflow
            compared += check(net.finish([y]), [ALL_BYTES.reshape(1, 16, 16, 1)], judges_of(net))
    assert compared > 256 * 30


@pytest.mark.parametrize("code", ["ADD", "MUL"])
@pytest.mark.parametrize("act", ACTIVATIONS)
def test_sums_and_products_of_all_pairs(code: str, act: int) -> None:
    a, b = (m.reshape(1, 256, 256, 1).copy() for m in np.meshgrid(ALL_BYTES, ALL_BYTES, indexing="ij"))
    for seed in range(6):
        net = Net(np.random.default_rng(seed))
        y = net.binary(code, net.input(a.shape), net.input(a.shape), act)
        check(net.finish([y]), [a, b], judges_of(net))


@pytest.mark.parametrize(
    "shapes", [((1, 3, 4, 5), (5,)), ((1, 3, 4, 5), (1, 3, 1, 1)), ((4, 1), (1, 3, 4, 5)), ((1, 1, 1, 1), (1, 2, 2, 3))]
)
def test_broadcast_of_constants(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    for seed, code in enumerate(("ADD", "MUL")):
        net = Net(np.random.default_rng(seed))
        constant_first = len(shapes[0]) < 4
        a = net.constant(shapes[0]) if constant_first else net.input(shapes[0])
        b = net.input(shapes[1]) if constant_first else net.constant(shapes[1])
        check(net.finish([net.binary(code, a, b)]), net.random_inputs(), judges_of(net))


def test_millions_of_convolution_outputs() -> None:
    """A rounding that differs in a quarter of a percent, or only at ties, cannot pass."""
    compared = 0
    for seed in range(12):
        net = Net(np.random.default_rng(seed))
        x = net.input((1, 96, 96, 8))
        options = {"act": int(net.rng.choice(ACTIVATIONS)), "padding": seed % 2}
        y = net.conv(x, 24, (1, 1), **options) if seed % 3 else net.depthwise(x, 3, (3, 3), **options)
        compared += check(net.finish([y]), net.random_inputs(), judges_of(net))
    assert compared > 2_000_000


def test_ties_of_the_requantisation() -> None:
    """Multipliers that are powers of two make every other sum a tie."""
    for shift in range(1, 8):
        net = Net(np.random.default_rng(shift))
        x = net.input((1, 64, 64, 4), 0.5, 0)
        y = net.conv(x, 8, (1, 1), per_tensor=True)
        weights = next(t for t in net.writer.tensors if t.name.startswith("w"))
        weights.scale = [0.25]
        net.spec(y).scale = [0.125 * 2**shift]
        net.spec(y).zero_point = [0]
        check(net.finish([y]), net.random_inputs(), judges_of(net))


@pytest.mark.parametrize("keep", [False, True])
def test_fully_connected(keep: bool) -> None:
    for seed in range(8):
        net = Net(np.random.default_rng(seed))
        x = net.input([(1, 64), (1, 5, 5, 8), (1, 7, 16), (3, 40)][seed % 4])
        options = {"keep": keep, "bias": seed % 3 > 0, "per_tensor": seed % 2 > 0, "act": ACTIVATIONS[seed % 3]}
        check(net.finish([net.fully_connected(x, 33, **options)]), net.random_inputs(), [run_tflm])


def test_four_bit_fully_connected_equals_its_eight_bit_form() -> None:
    """No judge takes INT4 here: the same weights as INT8 must give the same bytes."""
    results = []
    for four_bits in (True, False):
        net = Net(np.random.default_rng(3))
        y = net.fully_connected(net.input((1, 15)), 7, four_bits=True)
        if not four_bits:
            w = next(t for t in net.writer.tensors if t.type == "INT4")
            packed = np.frombuffer(w.data or b"", np.uint8)
            nibbles = np.stack([packed & 15, packed >> 4], 1).reshape(-1)[: 7 * 15].astype(np.int8)
            w.type, w.data = "INT8", np.where(nibbles > 7, nibbles - 16, nibbles).astype(np.int8).tobytes()
        results.append(_core.run(load_tflite(net.finish([y])), net.random_inputs())[0])
    assert np.array_equal(*results)
    assert len(np.unique(results[0])) > 2


@pytest.mark.parametrize("axes", [[1], [2], [3], [-1], [1, 2], [2, 1], [1, 2, 3], [3, 1], [0]])
@pytest.mark.parametrize("keep", [False, True])
def test_reductions(axes: list[int], keep: bool) -> None:
    for seed, code in enumerate(("MEAN", "REDUCE_MAX", "MEAN", "MEAN")):
        net = Net(np.random.default_rng(seed))
        x = net.input((1, 5 + seed, 7, 3))
        check(net.finish([net.reduce(code, x, axes, keep)]), net.random_inputs(), judges_of(net))


@pytest.mark.parametrize("code", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pools(code: str) -> None:
    for seed in range(12):
        net = Net(np.random.default_rng(seed))
        x = net.input((1, int(net.rng.integers(3, 12)), int(net.rng.integers(3, 12)), 5))
        kernel, stride = net.rng.integers(1, 4, 2), net.rng.integers(1, 4, 2)
        options = {"padding": seed % 2, "act": ACTIVATIONS[seed % 3]}
        check(
            net.finish([net.pool(code, x, tuple(kernel), tuple(stride), **options)]),
            net.random_inputs(),
            judges_of(net),
        )


@pytest.mark.parametrize("code", ["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"])
@pytest.mark.parametrize("options", [(False, False), (True, False), (False, True)])
def test_resizing(code: str, options: tuple[bool, bool]) -> None:
    for seed in range(20):
        net = Net(np.random.default_rng(seed))
        sizes = [int(n) for n in net.rng.integers(1, 14, 4)]
        x = net.input((1, sizes[0], sizes[1], 3))
        check(net.finish([net.resize(code, x, (sizes[2], sizes[3]), *options)]), net.random_inputs(), judges_of(net))


def test_transposed_convolutions() -> None:
    for seed in range(20):
        net = Net(np.random.default_rng(seed))
        x = net.input((1, 4, 3, 5))
        kernel, stride = net.rng.integers(1, 5, 2), net.rng.integers(1, 4, 2)
        y = net.transpose_conv(x, 3, tuple(kernel), tuple(stride), padding=seed % 2, bias=seed % 3 > 0)
        check(net.finish([y]), net.random_inputs(), judges_of(net))


@pytest.mark.parametrize("order", [[0, 3, 1, 2], [0, 2, 1, 3], [0, 1, 3, 2], [3, 2, 1, 0]])
def test_transposition(order: list[int]) -> None:
    net = Net(np.random.default_rng(0))
    check(net.finish([net.transpose(net.input((1, 3, 4, 5)), order)]), net.random_inputs(), judges_of(net))


def test_prelu_and_argmax() -> None:
    for seed, alpha in enumerate([(1, 1, 6), (4, 5, 6), (1,), (1, 5, 1)]):
        net = Net(np.random.default_rng(seed))
        x = net.input((1, 4, 5, 6))
        check(net.finish([net.prelu(x, alpha), net.argmax(x, seed - 1)]), net.random_inputs(), judges_of(net))


def test_ends_in_float_and_uint8() -> None:
    for kind in ("FLOAT32", "UINT8"):
        net = Net(np.random.default_rng(1))
        x = net.input((1, 6, 6, 2), 0.05, 100)
        net.spec(x).type = kind
        if kind == "FLOAT32":
            net.spec(x).scale = []
        y = net.conv(net.quantize(x), 4, (3, 3))
        out = net.dequantize(y) if kind == "FLOAT32" else net.quantize(y, "UINT8")
        check(net.finish([out]), net.random_inputs(), judges_of(net))
