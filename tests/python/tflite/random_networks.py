"""Random operators and whole random networks, as files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from nets import ACTIVATIONS, Net

Step = Callable[[Net, int], int]


def pick(net: Net, *choices: int) -> int:
    return int(net.rng.choice(choices))


def pair(net: Net, *choices: int) -> tuple[int, int]:
    return pick(net, *choices), pick(net, *choices)


def conv(net: Net, x: int) -> int:
    depth = net.shape(x)[3]
    groups = pick(net, *[g for g in range(1, depth + 1) if depth % g == 0]) if net.rng.random() < 0.3 else 1
    options = {"groups": groups, "act": pick(net, *ACTIVATIONS), "bias": net.rng.random() < 0.8}
    options |= {"four_bits": net.rng.random() < 0.15, "per_tensor": net.rng.random() < 0.2}
    return net.conv(x, groups * pick(net, 1, 2, 3, 5), *_window(net, x, options), **options)


def depthwise(net: Net, x: int) -> int:
    options = {"act": pick(net, *ACTIVATIONS), "bias": net.rng.random() < 0.8}
    options |= {"four_bits": net.rng.random() < 0.15, "per_tensor": net.rng.random() < 0.2}
    return net.depthwise(x, pick(net, 1, 1, 2, 3), *_window(net, x, options), **options)


def _window(net: Net, x: int, options: dict[str, object]) -> tuple[tuple[int, int]]:
    """A kernel that fits; stride, dilation and padding go into the options."""
    height, width = net.shape(x)[1:3]
    dilation = (1, 1) if net.rng.random() < 0.7 else pair(net, 1, 2, 3)
    kernel = pair(net, 1, 2, 3, 4, 5)
    padding = 0
    if net.rng.random() < 0.4:
        padding = 1
        kernel = min(kernel[0], (height - 1) // dilation[0] + 1), min(kernel[1], (width - 1) // dilation[1] + 1)
    stride = (1, 1) if dilation != (1, 1) or net.rng.random() < 0.4 else pair(net, 1, 2, 3)
    options |= {"stride": stride, "dilation": dilation, "padding": padding}
    return (kernel,)


def padded_conv(net: Net, x: int) -> int:
    top, bottom, left, right = (pick(net, 0, 1, 2) for _ in range(4))
    padded = net.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]])
    return net.rng.choice([conv, depthwise])(net, padded)


def add(net: Net, x: int) -> int:
    shape = list(net.shape(x))
    if net.rng.random() < 0.3:
        return net.binary(pick_code(net, "ADD", "MUL"), x, x, pick(net, *ACTIVATIONS))
    if net.rng.random() < 0.5:
        shape = [1 if net.rng.random() < 0.4 else n for n in shape][pick(net, 0, len(shape) - 1) :]
    other = net.constant(tuple(shape), float(np.float32(net.spec(x).scale[0] * np.exp(net.rng.uniform(-2, 2)))))
    a, b = (x, other) if net.rng.random() < 0.5 else (other, x)
    return net.binary(pick_code(net, "ADD", "MUL"), a, b, pick(net, *ACTIVATIONS))


def pick_code(net: Net, *choices: str) -> str:
    return str(net.rng.choice(choices))


def pool(net: Net, x: int) -> int:
    height, width = net.shape(x)[1:3]
    kernel = min(pick(net, 1, 2, 3, 7), height), min(pick(net, 1, 2, 3, 7), width)
    options = {"padding": pick(net, 0, 1), "act": pick(net, *ACTIVATIONS)}
    return net.pool(pick_code(net, "AVERAGE_POOL_2D", "MAX_POOL_2D"), x, kernel, pair(net, 1, 2, 3), **options)


def squeeze_and_excite(net: Net, x: int) -> int:
    pooled = net.reduce("MEAN", x, [1, 2], True)
    gate = net.unary("LOGISTIC", net.conv(pooled, net.shape(x)[3], (1, 1)))
    return net.binary("MUL", x, gate)


def concat(net: Net, x: int) -> int:
    axis = pick(net, 1, 2, 3, -1)
    return net.concat([x, net.like_constant(x), x][: pick(net, 2, 3)], axis)


def resize(net: Net, x: int) -> int:
    code = pick_code(net, "RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")
    align = bool(net.rng.random() < 0.3)
    return net.resize(code, x, pair(net, 1, 2, 5, 8, 11), align, not align and bool(net.rng.random() < 0.4))


def upsample(net: Net, x: int) -> int:
    return net.upsample(net.upsample(x, 1, 2), 2, pick(net, 2, 3))


def dilated(net: Net, x: int) -> int:
    if min(net.shape(x)[1:3]) < 5:
        return x
    return net.dilated(x, pick(net, 1, 3, 4), pair(net, 1, 2, 3), pair(net, 1, 2), bool(net.rng.random() < 0.6))


def transpose_conv(net: Net, x: int) -> int:
    bias = bool(net.rng.random() < 0.5)
    return net.transpose_conv(
        x, pick(net, 1, 2, 4), pair(net, 1, 2, 3, 4), pair(net, 1, 2, 3), padding=pick(net, 0, 1), bias=bias
    )


def unary(net: Net, x: int) -> int:
    return net.unary(pick_code(net, "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "SOFTMAX"), x)


def prelu(net: Net, x: int) -> int:
    return net.prelu(x, (1, 1, net.shape(x)[3]))


def reduce(net: Net, x: int) -> int:
    axes = [[1, 2], [2, 1], [3], [1], [2], [-1], [1, 2, 3]][pick(net, *range(7))]
    return net.reduce(pick_code(net, "MEAN", "REDUCE_MAX"), x, axes, True)


def transpose(net: Net, x: int) -> int:
    return net.transpose(x, [0, *(int(d) + 1 for d in net.rng.permutation(3))])


def requantize(net: Net, x: int) -> int:
    return net.quantize(x)


def rename(net: Net, x: int) -> int:
    _, height, width, depth = net.shape(x)
    return net.reshape(net.reshape(x, [1, height * width, depth]), [1, width, -1, depth])


STEPS: tuple[Step, ...] = (
    conv,
    conv,
    depthwise,
    depthwise,
    padded_conv,
    add,
    add,
    pool,
    squeeze_and_excite,
    concat,
    resize,
    upsample,
    dilated,
    transpose_conv,
    unary,
    prelu,
    reduce,
    transpose,
    requantize,
    rename,
)
MAX_ELEMENTS = 20_000


def random_network(seed: int, steps: int = 8, extremes: bool = True) -> tuple[bytes, Net]:
    """A file of about `steps` random operators; `extremes` allows scales that runtimes refuse."""
    net = Net(np.random.default_rng(seed), extremes=extremes)
    x = net.input((1, *(pick(net, 1, 2, 5, 7, 8, 12) for _ in range(2)), pick(net, 1, 3, 4, 8)))
    if net.rng.random() < 0.3:
        net.spec(x).type = "FLOAT32"
        net.spec(x).scale = []
        x = net.quantize(x)
    elif net.rng.random() < 0.2:
        net.spec(x).type = "UINT8"
        net.spec(x).zero_point = [128]
        x = net.quantize(x)
    outputs = []
    for _ in range(steps):
        y = STEPS[int(net.rng.integers(len(STEPS)))](net, x)
        x = y if np.prod(net.shape(y)) <= MAX_ELEMENTS else x
    if net.rng.random() < 0.3:
        outputs.append(x)
    if net.rng.random() < 0.5 and not net.only_litert:
        x = net.fully_connected(x, pick(net, 2, 5), act=pick(net, *ACTIVATIONS))
        if net.rng.random() < 0.5:
            x = net.unary("SOFTMAX", x)
    if net.rng.random() < 0.2 or x in outputs:
        x = net.dequantize(x)
    return net.finish([*outputs, x]), net
