"""Builds .tflite files of random operators with the writer, as converters shape them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinynas.tflite.writer import OperatorSpec, TensorSpec, TfliteWriter

ACTIVATIONS = (0, 1, 3)  # none, relu, relu6


@dataclass
class Net:
    """A file in the making. Every method adds an operator and returns the index of its output."""

    rng: np.random.Generator
    writer: TfliteWriter = field(default_factory=TfliteWriter)
    inputs: list[int] = field(default_factory=list)
    only_litert: bool = False  # holds operators that TensorFlow Lite Micro computes wrongly or refuses
    only_tflm: bool = False  # holds operators in which LiteRT rounds otherwise
    extremes: bool = True  # now and then scales that saturate everything

    def spec(self, index: int) -> TensorSpec:
        return self.writer.tensors[index]

    def shape(self, index: int) -> tuple[int, ...]:
        return tuple(self.spec(index).shape)

    def scale(self, low: float = 0.002, high: float = 0.2) -> float:
        return float(np.float32(np.exp(self.rng.uniform(np.log(low), np.log(high)))))

    def zero_point(self) -> int:
        return int(self.rng.choice([-128, 127, 0, *self.rng.integers(-128, 128, 5)]))

    def activation(self, shape: Any, scale: float | None = None, zero_point: int | None = None) -> int:
        spec = TensorSpec(
            f"t{len(self.writer.tensors)}",
            tuple(int(d) for d in shape),
            scale=[self.scale() if scale is None else scale],
            zero_point=[self.zero_point() if zero_point is None else zero_point],
        )
        return self.writer.tensor(spec)

    def like(self, index: int, shape: Any) -> int:
        """An activation with the quantisation of another."""
        return self.activation(shape, self.spec(index).scale[0], int(self.spec(index).zero_point[0]))

    def input(self, shape: Any, scale: float | None = None, zero_point: int | None = None) -> int:
        self.inputs.append(self.activation(shape, scale, zero_point))
        return self.inputs[-1]

    def numbers(self, values: Any) -> int:
        array = np.asarray(values, "<i4")
        return self.writer.tensor(
            TensorSpec(f"c{len(self.writer.tensors)}", array.shape, "INT32", data=array.tobytes())
        )

    def operator(
        self, code: str, inputs: list[int], output: int, options: str = "", fields: dict[str, Any] | None = None
    ) -> int:
        self.writer.operator(OperatorSpec(code, inputs, [output], options, fields or {}))
        return output

    def random_inputs(self) -> list[np.ndarray]:
        types = {"INT8": np.int8, "UINT8": np.uint8, "FLOAT32": np.float32}
        values = []
        for index in self.inputs:
            kind, shape = self.spec(index).type, self.shape(index)
            if kind == "FLOAT32":
                values.append(self.rng.normal(0, 2, shape).astype(np.float32))
            else:
                info = np.iinfo(types[kind])
                values.append(self.rng.integers(info.min, info.max + 1, shape).astype(types[kind]))
        return values

    def finish(self, outputs: list[int]) -> bytes:
        return self.writer.finish(self.inputs, outputs)

    # Operators with weights.

    def weights(self, shape: tuple[int, ...], axis: int, four_bits: bool = False, per_tensor: bool = False) -> int:
        limit = 7 if four_bits else 127
        values = self.rng.integers(-limit, limit + 1, shape)
        if four_bits:
            flat = np.append(values.reshape(-1), 0)[: values.size + values.size % 2] & 15
            data = (flat[0::2] | flat[1::2] << 4).astype(np.uint8).tobytes()
        else:
            data = values.astype(np.int8).tobytes()
        count = 1 if per_tensor else shape[axis]
        scales = [self.scale(0.001, 0.02) for _ in range(count)]
        spec = TensorSpec(f"w{len(self.writer.tensors)}", shape, "INT4" if four_bits else "INT8", data=data)
        spec.scale, spec.zero_point, spec.axis = scales, [0] * count, axis
        return self.writer.tensor(spec)

    def bias(self, x: int, weights: int, channels: int, reach: int) -> int:
        values = self.rng.integers(-60 * reach, 60 * reach + 1, channels).astype("<i4")
        spec = TensorSpec(f"b{len(self.writer.tensors)}", (channels,), "INT32", data=values.tobytes())
        w = self.spec(weights)
        spec.scale = [float(np.float32(self.spec(x).scale[0] * s)) for s in w.scale]
        spec.zero_point = [0] * len(spec.scale)
        return self.writer.tensor(spec)

    def sum_scale(self, x: int, weights: int, count: int) -> float:
        """An output scale at which most sums of `count` products do not saturate, now and then far from it."""
        typical = float(np.mean(self.spec(weights).scale)) * self.spec(x).scale[0]
        limit = 3 if self.spec(weights).type == "INT4" else 60
        factor = np.exp(self.rng.uniform(-1.0, 1.0))
        if self.extremes and self.rng.random() < 0.1:
            factor = np.exp(self.rng.uniform(-9, 9))
        return float(np.float32(typical * limit * np.sqrt(count) * factor))

    def conv(self, x: int, channels: int, kernel: tuple[int, int], **o: Any) -> int:
        """Options: stride, dilation (pairs), padding, act, groups, four_bits, per_tensor, bias."""
        depth = self.shape(x)[3]
        groups = o.get("groups", 1)
        w = self.weights((channels, *kernel, depth // groups), 0, o.get("four_bits", False), o.get("per_tensor", False))
        count = kernel[0] * kernel[1] * depth // groups
        return self._convolve("CONV_2D", "Conv2DOptions", x, w, (channels, count), o)

    def depthwise(self, x: int, multiplier: int, kernel: tuple[int, int], **o: Any) -> int:
        channels = self.shape(x)[3] * multiplier
        w = self.weights((1, *kernel, channels), 3, o.get("four_bits", False), o.get("per_tensor", False))
        o["fields"] = {"depth_multiplier": multiplier}
        return self._convolve("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", x, w, (channels, kernel[0] * kernel[1]), o)

    def _convolve(self, code: str, options: str, x: int, w: int, counts: tuple[int, int], o: dict[str, Any]) -> int:
        channels, count = counts
        stride, dilation = o.get("stride", (1, 1)), o.get("dilation", (1, 1))
        kernel = self.shape(w)[1:3]
        padding = o.get("padding", 0)
        size = [
            -(-n // s) if padding == 0 else (n - (k - 1) * d - 1) // s + 1
            for n, k, s, d in zip(self.shape(x)[1:3], kernel, stride, dilation, strict=True)
        ]
        inputs = [x, w]
        if o.get("bias", True):
            inputs.append(self.bias(x, w, channels, 127 * int(np.sqrt(count) + 1)))
        else:
            self.only_tflm = True
        out = self.activation((self.shape(x)[0], *size, channels), self.sum_scale(x, w, count))
        fields = {
            "padding": padding,
            "stride_h": stride[0],
            "stride_w": stride[1],
            "dilation_h_factor": dilation[0],
            "dilation_w_factor": dilation[1],
            "fused_activation_function": o.get("act", 0),
            **o.get("fields", {}),
        }
        return self.operator(code, inputs, out, options, fields)

    def fully_connected(self, x: int, units: int, keep: bool = False, **o: Any) -> int:
        self.only_tflm = True
        shape = self.shape(x)
        depth = shape[-1] if keep else int(np.prod(shape[1:]))
        w = self.weights((units, depth), 0, o.get("four_bits", False), o.get("per_tensor", False))
        bias = self.bias(x, w, units, 127 * int(np.sqrt(depth) + 1)) if o.get("bias", True) else -1
        out_shape = (*shape[:-1], units) if keep else (int(np.prod(shape)) // depth, units)
        out = self.activation(out_shape, self.sum_scale(x, w, depth))
        fields = {"fused_activation_function": o.get("act", 0), "keep_num_dims": keep}
        return self.operator("FULLY_CONNECTED", [x, w, bias], out, "FullyConnectedOptions", fields)

    def transpose_conv(self, x: int, channels: int, kernel: tuple[int, int], stride: tuple[int, int], **o: Any) -> int:
        _, height, width, depth = self.shape(x)
        padding = o.get("padding", 0)
        size = [
            n * s if padding == 0 else n * s + max(k - s, 0)
            for n, k, s in zip((height, width), kernel, stride, strict=True)
        ]
        w = self.weights((channels, *kernel, depth), 0)
        out = self.activation((1, *size, channels), self.sum_scale(x, w, kernel[0] * kernel[1] * depth))
        fields = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
        bias = [self.bias(x, w, channels, 1000)] if o.get("bias", True) else []
        inputs = [self.numbers(self.shape(out)), w, x, *bias]
        return self.operator("TRANSPOSE_CONV", inputs, out, "TransposeConvOptions", fields)

    # Everything else.

    def constant(self, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None) -> int:
        index = self.activation(shape, scale, zero_point)
        self.spec(index).data = self.rng.integers(-128, 128, shape).astype(np.int8).tobytes()
        return index

    def like_constant(self, index: int) -> int:
        """A constant with the shape and quantisation of an activation."""
        return self.constant(self.shape(index), self.spec(index).scale[0], int(self.spec(index).zero_point[0]))

    def binary(self, code: str, a: int, b: int, act: int = 0) -> int:
        shape = np.broadcast_shapes(self.shape(a), self.shape(b))
        sa, sb = self.spec(a).scale[0], self.spec(b).scale[0]
        typical = max(sa, sb) if code == "ADD" else sa * sb * 100
        out = self.activation(shape, float(np.float32(typical * np.exp(self.rng.uniform(-1, 1)))))
        options = {"ADD": "AddOptions", "MUL": "MulOptions"}[code]
        return self.operator(code, [a, b], out, options, {"fused_activation_function": act})

    def pool(self, code: str, x: int, kernel: tuple[int, int], stride: tuple[int, int], **o: Any) -> int:
        padding = o.get("padding", 0)
        size = [
            -(-n // s) if padding == 0 else (n - k) // s + 1
            for n, k, s in zip(self.shape(x)[1:3], kernel, stride, strict=True)
        ]
        out = self.like(x, (1, *size, self.shape(x)[3]))
        fields = {
            "padding": padding,
            "stride_h": stride[0],
            "stride_w": stride[1],
            "filter_height": kernel[0],
            "filter_width": kernel[1],
            "fused_activation_function": o.get("act", 0),
        }
        return self.operator(code, [x], out, "Pool2DOptions", fields)

    def reduce(self, code: str, x: int, axes: list[int], keep: bool) -> int:
        rank = len(self.shape(x))
        gone = {a % rank for a in axes}
        shape = [1 if d in gone else n for d, n in enumerate(self.shape(x)) if keep or d not in gone]
        out = self.like(x, shape) if code == "REDUCE_MAX" else self.activation(shape, self.scale(0.01, 0.2))
        return self.operator(code, [x, self.numbers(axes)], out, "ReducerOptions", {"keep_dims": keep})

    def unary(self, code: str, x: int) -> int:
        fixed = {"LOGISTIC": (1 / 256, -128), "SOFTMAX": (1 / 256, -128), "TANH": (1 / 128, 0)}
        scale, zero_point = fixed.get(code, (None, None))
        if code in ("HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6") and self.rng.random() < 0.8:
            scale = float(np.float32(self.spec(x).scale[0] * np.exp(self.rng.uniform(-1, 1))))
        out = self.activation(self.shape(x), scale, zero_point)
        if code == "RELU6":  # TensorFlow Lite Micro clamps without rescaling
            self.only_litert = True
        options: dict[str, tuple[str, dict[str, Any]]] = {
            "SOFTMAX": ("SoftmaxOptions", {"beta": float(self.rng.choice([1.0, 0.5, 2.0]))}),
            "LEAKY_RELU": ("LeakyReluOptions", {"alpha": float(np.float32(self.rng.uniform(-0.5, 1.5)))}),
            "HARD_SWISH": ("HardSwishOptions", {}),
        }
        name, fields = options.get(code, ("", {}))
        return self.operator(code, [x], out, name, fields)

    def prelu(self, x: int, alpha_shape: tuple[int, ...]) -> int:
        alpha = self.constant(alpha_shape, self.scale(0.001, 0.02))
        scale = float(np.float32(self.spec(x).scale[0] * np.exp(self.rng.uniform(-1, 1))))
        return self.operator("PRELU", [x, alpha], self.activation(self.shape(x), scale))

    def pad(self, x: int, amounts: list[list[int]]) -> int:
        shape = [n + a + b for n, (a, b) in zip(self.shape(x), amounts, strict=True)]
        return self.operator("PAD", [x, self.numbers(amounts)], self.like(x, shape), "PadOptions")

    def reshape(self, x: int, shape: Any) -> int:
        real = np.empty(self.shape(x), np.int8).reshape(shape).shape
        return self.operator(
            "RESHAPE", [x, self.numbers(shape)], self.like(x, real), "ReshapeOptions", {"new_shape": shape}
        )

    def expand(self, x: int, axis: int) -> int:
        shape = np.expand_dims(np.empty(self.shape(x), np.int8), axis).shape
        return self.operator("EXPAND_DIMS", [x, self.numbers(axis)], self.like(x, shape), "ExpandDimsOptions")

    def squeeze(self, x: int, axes: list[int]) -> int:
        shape = np.squeeze(np.empty(self.shape(x), np.int8), tuple(axes)).shape
        return self.operator("SQUEEZE", [x], self.like(x, shape), "SqueezeOptions", {"squeeze_dims": axes})

    def transpose(self, x: int, order: list[int]) -> int:
        shape = [self.shape(x)[d] for d in order]
        return self.operator("TRANSPOSE", [x, self.numbers(order)], self.like(x, shape), "TransposeOptions")

    def concat(self, parts: list[int], axis: int) -> int:
        shape = np.concatenate([np.empty(self.shape(p), np.int8) for p in parts], axis).shape
        return self.operator("CONCATENATION", parts, self.like(parts[0], shape), "ConcatenationOptions", {"axis": axis})

    def resize(self, code: str, x: int, size: tuple[int, int], align: bool = False, half: bool = False) -> int:
        out = self.like(x, (1, *size, self.shape(x)[3]))
        options = {
            "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
            "RESIZE_BILINEAR": "ResizeBilinearOptions",
        }[code]
        return self.operator(
            code, [x, self.numbers(size)], out, options, {"align_corners": align, "half_pixel_centers": half}
        )

    def upsample(self, x: int, axis: int, times: int) -> int:
        """Keras 3: EXPAND_DIMS, TILE, RESHAPE."""
        self.only_litert = True
        expanded = self.expand(x, axis + 1)
        multiples = [times if d == axis + 1 else 1 for d in range(5)]
        shape = [n * t for n, t in zip(self.shape(expanded), multiples, strict=True)]
        tiled = self.operator("TILE", [expanded, self.numbers(multiples)], self.like(x, shape), "TileOptions")
        return self.reshape(tiled, [n * times if d == axis else n for d, n in enumerate(self.shape(x))])

    def argmax(self, x: int, axis: int) -> int:
        shape = [n for d, n in enumerate(self.shape(x)) if d != axis % len(self.shape(x))]
        out = self.writer.tensor(TensorSpec(f"t{len(self.writer.tensors)}", shape, "INT32"))
        return self.operator("ARG_MAX", [x, self.numbers(axis)], out, "ArgMaxOptions", {"output_type": 2})

    def quantize(self, x: int, kind: str = "INT8") -> int:
        low, high = (0, 255) if kind == "UINT8" else (-128, 127)
        out = self.activation(self.shape(x), None, int(self.rng.integers(low, high + 1)))
        self.spec(out).type = kind
        return self.operator("QUANTIZE", [x], out, "QuantizeOptions")

    def dequantize(self, x: int) -> int:
        out = self.writer.tensor(TensorSpec(f"t{len(self.writer.tensors)}", self.shape(x), "FLOAT32"))
        return self.operator("DEQUANTIZE", [x], out, "DequantizeOptions")

    def dilated(self, x: int, channels: int, kernel: tuple[int, int], block: tuple[int, int], same: bool) -> int:
        """A dilated convolution as converters write it with an unknown batch."""
        self.only_litert = True
        _, height, width, depth = self.shape(x)
        pads, crops, size = [], [], []
        for n, k, d in zip((height, width), kernel, block, strict=True):
            total = (k - 1) * d if same else 0
            fill = -(n + total) % d
            pads.append([total // 2, total - total // 2 + fill])
            crops.append([0, fill])
            size.append((n + total + fill) // d)
        blocks = self.like(x, (block[0] * block[1], *size, depth))
        self.operator(
            "SPACE_TO_BATCH_ND", [x, self.numbers(block), self.numbers(pads)], blocks, "SpaceToBatchNDOptions"
        )
        y = self.conv(blocks, channels, kernel, padding=1, act=int(self.rng.choice(ACTIVATIONS)))
        real = [self.shape(y)[d + 1] * block[d] - sum(crops[d]) for d in range(2)]
        out = self.like(y, (1, *real, channels))
        inputs = [y, self.numbers(block), self.numbers(crops)]
        return self.operator("BATCH_TO_SPACE_ND", inputs, out, "BatchToSpaceNDOptions")
