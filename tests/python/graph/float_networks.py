"""Random float networks for tests: written as the graph's JSON, with weights drawn from a seeded generator."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import tinynas._core as _core
from numpy.typing import NDArray

Array = NDArray[np.float32]


class NetworkBuilder:
    """Appends operators to a growing float graph; every method returns the index of its output tensor."""

    def __init__(self, name: str, input_shape: tuple[int, ...], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.name = name
        self.tensors: list[dict[str, Any]] = [{"name": "input", "shape": list(input_shape), "dtype": "f32"}]
        self.operators: list[dict[str, Any]] = []

    def shape(self, tensor: int) -> list[int]:
        return list(self.tensors[tensor]["shape"])

    def constant(self, values: Array) -> int:
        data = base64.b64encode(np.ascontiguousarray(values, dtype=np.float32).tobytes()).decode()
        self.tensors.append(
            {
                "name": f"c{len(self.tensors)}",
                "shape": list(values.shape),
                "dtype": "f32",
                "constant": True,
                "data": data,
            }
        )
        return len(self.tensors) - 1

    def append(self, op: str, inputs: list[int], shape: list[int] | None = None, **attributes: Any) -> int:
        self.tensors.append({"name": f"t{len(self.tensors)}", "shape": shape or [], "dtype": "f32"})
        output = len(self.tensors) - 1
        self.operators.append({"op": op, "name": f"{op}{output}", "inputs": inputs, "outputs": [output], **attributes})
        inferred = _core.Graph.from_json(self._text([output]))
        inferred.infer_shapes()
        self.tensors[output]["shape"] = list(inferred.tensors[output].shape)
        return output

    def window(self, kernel: int, stride: int) -> dict[str, int]:
        pad = kernel // 2
        return {
            "stride_h": stride, "stride_w": stride,
            "pad_top": pad, "pad_left": pad, "pad_bottom": pad, "pad_right": pad,
        }  # fmt: skip

    def conv(self, x: int, channels: int, kernel: int = 1, stride: int = 1, activation: str = "relu6") -> int:
        fan_in = kernel * kernel * self.shape(x)[3]
        weights = self.rng.normal(0, np.sqrt(2 / fan_in), (channels, kernel, kernel, self.shape(x)[3]))
        inputs = [x, self.constant(weights.astype(np.float32)), self._bias(channels)]
        return self.append("conv2d", inputs, activation=activation, **self.window(kernel, stride))

    def depthwise(self, x: int, kernel: int, stride: int = 1, activation: str = "relu6") -> int:
        channels = self.shape(x)[3]
        weights = self.rng.normal(0, np.sqrt(2) / kernel, (1, kernel, kernel, channels))
        inputs = [x, self.constant(weights.astype(np.float32)), self._bias(channels)]
        return self.append("depthwise_conv2d", inputs, activation=activation, **self.window(kernel, stride))

    def fully_connected(self, x: int, outputs: int) -> int:
        width = self.shape(x)[-1]
        weights = self.rng.normal(0, np.sqrt(1 / width), (outputs, width))
        return self.append("fully_connected", [x, self.constant(weights.astype(np.float32)), self._bias(outputs)])

    def bottleneck(self, x: int, channels: int, kernel: int, stride: int, expansion: int) -> int:
        y = self.conv(x, self.shape(x)[3] * expansion)
        y = self.depthwise(y, kernel, stride)
        y = self.conv(y, channels, activation="none")
        return self.append("add", [x, y]) if self.shape(y) == self.shape(x) else y

    def finish(self, output: int) -> _core.Graph:
        graph = _core.Graph.from_json(self._text([output]))
        graph.validate()
        return graph

    def _bias(self, channels: int) -> int:
        return self.constant(self.rng.normal(0, 0.1, channels).astype(np.float32))

    def _text(self, outputs: list[int]) -> str:
        value = {
            "format": "tinynas-graph", "version": 1, "name": self.name, "tensors": self.tensors,
            "operators": self.operators, "inputs": [0], "outputs": outputs,
        }  # fmt: skip
        return json.dumps(value)


def mobile_network(seed: int, resolution: int = 24, classes: int = 5) -> _core.Graph:
    """A small MobileNetV2 with random widths, kernels and strides; logits [1, classes]."""
    net = NetworkBuilder(f"mobile{seed}", (1, resolution, resolution, 3), seed)
    x = net.conv(0, 8, 3, 2)
    for _ in range(int(net.rng.integers(2, 5))):
        kernel, stride, expansion = (int(net.rng.choice(c)) for c in ((3, 5, 7), (1, 1, 2), (2, 3, 4)))
        channels = net.shape(x)[3] if stride == 1 and net.rng.random() < 0.6 else int(net.rng.integers(4, 24))
        x = net.bottleneck(x, channels, kernel, stride, expansion)
    height, width = net.shape(x)[1:3]
    x = net.append("average_pool", [x], kernel_h=height, kernel_w=width)
    x = net.append("reshape", [x], shape=[1, net.shape(x)[3]])
    return net.finish(net.fully_connected(x, classes))


def pictures(count: int, shape: tuple[int, ...], seed: int) -> Array:
    """Smooth random pictures in [-1, 1), on the grid of (pixel - 128) / 128: [count, *shape[1:]]."""
    rng = np.random.default_rng(seed)
    height, width, channels = shape[1:]
    coarse = rng.normal(0, 0.6, (count, (height + 3) // 4, (width + 3) // 4, channels))
    fine = np.repeat(np.repeat(coarse, 4, 1), 4, 2)[:, :height, :width] + rng.normal(
        0, 0.1, (count, height, width, channels)
    )
    return (np.clip(np.round(fine * 128), -128, 127) / 128).astype(np.float32)
