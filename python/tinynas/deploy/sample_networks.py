"""Networks with random weights, of the shapes that firmware mostly holds: what code sizes, overheads and the latency
model are measured on."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from tinynas import _core


class NetworkMaker:
    """Appends int8 operators with random weights to a graph; a value is a tensor's index."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._tensors: list[dict[str, Any]] = []
        self._operators: list[dict[str, Any]] = []

    def shape(self, tensor: int) -> list[int]:
        shape: list[int] = self._tensors[tensor]["shape"]
        return shape

    def activation(self, shape: list[int], zero_point: int = -128, scale: float = 0.05) -> int:
        """A tensor that no operator writes yet."""
        tensor = {"name": "a", "shape": shape, "dtype": "s8", "scale": [scale], "zero_point": [zero_point]}
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def conv(
        self, x: int, channels: int, kernel: tuple[int, int] = (1, 1), stride: int = 1, *, relu: bool = True
    ) -> int:
        """A convolution with SAME padding; its outputs spread over int8."""
        _, height, width, inner = self.shape(x)
        weights = self._weights((channels, *kernel, inner), 0, kernel[0] * kernel[1] * inner)
        shape = [1, -(-height // stride), -(-width // stride), channels]
        return self._windowed("conv2d", [x, weights, self._bias(x, weights)], shape, kernel, stride, relu)

    def depthwise(self, x: int, kernel: int, stride: int = 1) -> int:
        """A depthwise convolution with SAME padding and ReLU6."""
        _, height, width, channels = self.shape(x)
        weights = self._weights((1, kernel, kernel, channels), 3, kernel * kernel)
        shape = [1, -(-height // stride), -(-width // stride), channels]
        inputs = [x, weights, self._bias(x, weights)]
        return self._windowed("depthwise_conv2d", inputs, shape, (kernel, kernel), stride, True)

    def bottleneck(self, x: int, expansion: int, channels: int, kernel: int, stride: int = 1) -> int:
        """Expand, depthwise, project, and a residual where the shapes allow it."""
        y = self.depthwise(self.conv(x, expansion * self.shape(x)[3]), kernel, stride)
        y = self.conv(y, channels, relu=False)
        return self.add(x, y) if self.shape(x) == self.shape(y) else y

    def add(self, x: int, y: int) -> int:
        """Their sum."""
        return self._emit("add", [x, y], self.activation(self.shape(x), -5, float(self.rng.uniform(0.05, 0.08))))

    def residual(self, x: int, channels: int, stride: int = 1) -> int:
        """Two 3x3 convolutions and the sum with their input, or with a 1x1 convolution of it."""
        y = self.conv(self.conv(x, channels, (3, 3), stride), channels, (3, 3), relu=False)
        return self.add(x if self.shape(x) == self.shape(y) else self.conv(x, channels, (1, 1), stride, relu=False), y)

    def separable(self, x: int, channels: int, kernel: int, stride: int = 1) -> int:
        """Depthwise, then 1x1 with ReLU6."""
        return self.conv(self.depthwise(x, kernel, stride), channels)

    def head(self, x: int, classes: int) -> int:
        """Average pool, classifier, softmax."""
        _, height, width, channels = self.shape(x)
        zero_point = self._tensors[x]["zero_point"][0]
        scale = self._tensors[x]["scale"][0]
        pooled = self.activation([1, 1, 1, channels], zero_point, scale)
        self._emit("average_pool", [x], pooled, kernel_h=height, kernel_w=width)
        flat = self._emit("reshape", [pooled], self.activation([1, channels], zero_point, scale))
        weights = self._weights((classes, channels), 0, channels)
        bias = self._bias(flat, weights)
        logits = self._emit("fully_connected", [flat, weights, bias], self.activation([1, classes], 3))
        return self._emit("softmax", [logits], self.activation([1, classes], -128, 1 / 256))

    def finish(self, image: int, output: int) -> _core.Graph:
        """The graph from an image to an output."""
        graph = {"format": "tinynas-graph", "version": 1, "name": "sample", "tensors": self._tensors}
        graph |= {"operators": self._operators, "inputs": [image], "outputs": [output]}
        return _core.Graph.from_json(json.dumps(graph))

    def _emit(self, kind: str, inputs: list[int], output: int, **attributes: Any) -> int:
        self._operators.append({"op": kind, "name": "o", "inputs": inputs, "outputs": [output], **attributes})
        return output

    def _windowed(
        self, kind: str, inputs: list[int], shape: list[int], kernel: tuple[int, int], stride: int, relu: bool
    ) -> int:
        window: dict[str, Any] = {"stride_h": stride, "stride_w": stride, "activation": "relu6" if relu else "none"}
        for size, inner, outer, before, after in (
            (kernel[0], self.shape(inputs[0])[1], shape[1], "top", "bottom"),
            (kernel[1], self.shape(inputs[0])[2], shape[2], "left", "right"),
        ):
            total = max(0, (outer - 1) * stride + size - inner)
            window |= {f"pad_{before}": total // 2, f"pad_{after}": total - total // 2}
        output = self.activation(shape, -128 if relu else 3, 6 / 255 if relu else float(self.rng.uniform(0.04, 0.06)))
        return self._emit(kind, inputs, output, **window)

    def _weights(self, shape: tuple[int, ...], axis: int, terms: int) -> int:
        """Random int8 weights. Their real values have a variance of about 2 / terms, so that what ReLU halves does not
        die out with depth."""
        values = self.rng.integers(-127, 128, shape, dtype=np.int8)
        scales = (self.rng.uniform(0.5, 2.0, shape[axis]) / (65 * np.sqrt(terms))).tolist()
        entry = {"name": "w", "shape": list(shape), "constant": True, "dtype": "s8", "scale": scales, "axis": axis}
        entry |= {"zero_point": [0] * len(scales), "data": base64.b64encode(values.tobytes()).decode()}
        self._tensors.append(entry)
        return len(self._tensors) - 1

    def _bias(self, x: int, weights: int) -> int:
        scales = [self._tensors[x]["scale"][0] * scale for scale in self._tensors[weights]["scale"]]
        values = self.rng.integers(-2000, 2000, len(scales), dtype=np.int32)
        entry = {"name": "b", "shape": [len(scales)], "constant": True, "dtype": "s32", "scale": scales, "axis": 0}
        entry |= {"zero_point": [0] * len(scales), "data": base64.b64encode(values.tobytes()).decode()}
        self._tensors.append(entry)
        return len(self._tensors) - 1


def small_network(seed: int) -> _core.Graph:
    """A stem, one to nine narrow inverted bottlenecks and, mostly, a classifier."""
    make = NetworkMaker(seed)
    size = int(make.rng.integers(4, 14))
    image = make.activation([1, 2 * size, 2 * size, 3], 0, 1 / 128)
    x = make.conv(image, 8, (3, 3), 2)
    for _ in range(int(make.rng.integers(1, 10))):
        x = make.bottleneck(x, 2, 8 if make.rng.random() < 0.7 else 12, int(make.rng.choice([3, 5])))
    return make.finish(image, make.head(x, 2) if make.rng.random() < 0.7 else x)


def varied_network(seed: int) -> _core.Graph:
    """Layers over the whole range of shapes of networks for microcontrollers: maps of 3 to 48, 8 to 240 channels."""
    make = NetworkMaker(seed)
    rng = make.rng
    size, colours = int(rng.choice([32, 48, 64, 80, 96])), int(rng.choice([1, 3]))
    image = make.activation([1, size, size, colours], 0, 1 / 128)
    stem = (10, 4) if seed % 7 == 6 else (3, 3)
    x = make.conv(image, int(rng.choice([8, 16, 32])), stem, 2)
    while make.shape(x)[1] > 3:
        channels = int(rng.choice([8, 12, 16, 24, 32, 40, 48]))
        stride = int(rng.choice([1, 2, 2]))
        if seed % 3 == 2:
            x = make.conv(x, channels, (3, 3), stride)
        else:
            x = make.bottleneck(x, int(rng.choice([1, 3, 4, 5, 6])), channels, int(rng.choice([3, 3, 5, 7])), stride)
        if rng.random() < 0.4 and seed % 3 != 2:
            x = make.bottleneck(x, int(rng.choice([3, 4, 6])), make.shape(x)[3], int(rng.choice([3, 5, 7])))
    return make.finish(image, make.head(x, int(rng.choice([2, 10, 100]))))


def deep_network() -> _core.Graph:
    """Sixty operators, windows of every size at stride 1 and 2: as deep as published networks for 30 kB of SRAM."""
    make = NetworkMaker(77)
    image = make.activation([1, 80, 80, 3], 0, 1 / 128)
    x = make.conv(make.depthwise(make.conv(image, 16, (3, 3), 2), 3), 8, relu=False)
    for kernel, stride, channels in (
        *((3, 2, 16), (3, 1, 16), (3, 1, 16)),
        *((7, 2, 24), (5, 1, 24), (5, 1, 24)),
        *((7, 2, 40), (7, 1, 40), (3, 1, 40), (3, 1, 48)),
        *((5, 2, 96), (3, 1, 96), (3, 1, 96), (7, 1, 96)),
    ):
        x = make.bottleneck(x, 3, channels, kernel, stride)
    return make.finish(image, make.head(x, 2))


def mixed_network(seed: int) -> _core.Graph:
    """Many layers on maps of 32 to 3, little work: inverted bottlenecks, separable or residual convolutions by seed."""
    make = NetworkMaker(1000 + seed)
    rng = make.rng
    family = ("bottleneck", "separable", "bottleneck", "residual")[seed % 4]
    size, colours = int(rng.choice([33, 40, 48, 56, 64])), int(rng.choice([1, 3]))
    image = make.activation([1, size, size, colours], 0, 1 / 128)
    x = make.conv(image, int(rng.choice([8, 12, 16, 24])), (10, 4) if seed % 8 == 1 else (3, 3), 2)
    if family == "bottleneck":  # the first block expands nothing
        x = make.conv(make.depthwise(x, 3), 8, relu=False)
    for block in range(4 if family == "residual" else 9):
        stride = 2 if block in ((1, 3) if family == "residual" else (1, 4, 7)) else 1
        channels = make.shape(x)[3] if rng.random() < 0.4 else int(rng.choice([8, 12, 16, 24, 32, 40, 48]))
        if family == "bottleneck":
            x = make.bottleneck(x, int(rng.choice([3, 4, 6])), channels, int(rng.choice([3, 5, 7])), stride)
        elif family == "separable":
            x = make.separable(x, 2 * channels, int(rng.choice([3, 3, 5, 7])), stride)
        else:
            x = make.residual(x, channels, stride)
    return make.finish(image, make.head(x, int(rng.choice([2, 10, 100]))))


def sizes_only(graph: _core.Graph) -> str:
    """The graph's JSON without constants' data and quantisation: what oracles ask of a network."""
    value = json.loads(graph.to_json())
    for tensor in value["tensors"]:
        for key in ("data", "scale", "zero_point", "axis"):
            tensor.pop(key, None)
    return json.dumps(value, separators=(",", ":"))
