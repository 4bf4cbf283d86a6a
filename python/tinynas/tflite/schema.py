"""The slots of TensorFlow Lite's schema that the importer reads, and the names of its enumerations.

Slots are facts of the published schema (`schema.fbs`, the PyPI package `tflite`); tests write every field with that
package and read it back through these numbers.
"""

from __future__ import annotations

from typing import Any

import tflite


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


OPERATOR_NAMES = _names(tflite.BuiltinOperator)
OPERATOR_CODES = {name: code for code, name in OPERATOR_NAMES.items()}
TYPE_NAMES = _names(tflite.TensorType)
TYPE_CODES = {name: code for code, name in TYPE_NAMES.items()}
OPTION_NAMES = _names(tflite.BuiltinOptions)
OPTION_CODES = {name: code for code, name in OPTION_NAMES.items()}

ACTIVATION_NAMES = _names(tflite.ActivationFunctionType)
PADDING_SAME = 0
PADDING_VALID = 1
IDENTIFIER = b"TFL3"

# Table -> field -> slot.
MODEL = {"version": 0, "operator_codes": 1, "subgraphs": 2, "description": 3, "buffers": 4}
OPERATOR_CODE = {"deprecated_builtin_code": 0, "custom_code": 1, "version": 2, "builtin_code": 3}
BUFFER = {"data": 0, "offset": 1, "size": 2}
SUBGRAPH = {"tensors": 0, "inputs": 1, "outputs": 2, "operators": 3, "name": 4}
TENSOR = {
    "shape": 0,
    "type": 1,
    "buffer": 2,
    "name": 3,
    "quantization": 4,
    "is_variable": 5,
    "sparsity": 6,
    "shape_signature": 7,
}
QUANTIZATION = {"scale": 2, "zero_point": 3, "details_type": 4, "quantized_dimension": 6}
OPERATOR = {"opcode_index": 0, "inputs": 1, "outputs": 2, "builtin_options_type": 3, "builtin_options": 4}

# Options table -> field -> (slot, kind, default). Kinds: i8, i32, bool, f32, ints (vector of int32).
Field = tuple[int, str, Any]
OPTIONS: dict[str, dict[str, Field]] = {
    "Conv2DOptions": {
        "padding": (0, "i8", 0),
        "stride_w": (1, "i32", 0),
        "stride_h": (2, "i32", 0),
        "fused_activation_function": (3, "i8", 0),
        "dilation_w_factor": (4, "i32", 1),
        "dilation_h_factor": (5, "i32", 1),
    },
    "DepthwiseConv2DOptions": {
        "padding": (0, "i8", 0),
        "stride_w": (1, "i32", 0),
        "stride_h": (2, "i32", 0),
        "depth_multiplier": (3, "i32", 0),
        "fused_activation_function": (4, "i8", 0),
        "dilation_w_factor": (5, "i32", 1),
        "dilation_h_factor": (6, "i32", 1),
    },
    "TransposeConvOptions": {
        "padding": (0, "i8", 0),
        "stride_w": (1, "i32", 0),
        "stride_h": (2, "i32", 0),
        "fused_activation_function": (3, "i8", 0),
    },
    "FullyConnectedOptions": {
        "fused_activation_function": (0, "i8", 0),
        "weights_format": (1, "i8", 0),
        "keep_num_dims": (2, "bool", False),
        "asymmetric_quantize_inputs": (3, "bool", False),
    },
    "AddOptions": {"fused_activation_function": (0, "i8", 0)},
    "MulOptions": {"fused_activation_function": (0, "i8", 0)},
    "SubOptions": {"fused_activation_function": (0, "i8", 0)},
    "Pool2DOptions": {
        "padding": (0, "i8", 0),
        "stride_w": (1, "i32", 0),
        "stride_h": (2, "i32", 0),
        "filter_width": (3, "i32", 0),
        "filter_height": (4, "i32", 0),
        "fused_activation_function": (5, "i8", 0),
    },
    "ReducerOptions": {"keep_dims": (0, "bool", False)},
    "ReshapeOptions": {"new_shape": (0, "ints", None)},
    "SqueezeOptions": {"squeeze_dims": (0, "ints", None)},
    "SoftmaxOptions": {"beta": (0, "f32", 0.0)},
    "ConcatenationOptions": {"axis": (0, "i32", 0), "fused_activation_function": (1, "i8", 0)},
    "ResizeNearestNeighborOptions": {"align_corners": (0, "bool", False), "half_pixel_centers": (1, "bool", False)},
    "ResizeBilinearOptions": {"align_corners": (2, "bool", False), "half_pixel_centers": (3, "bool", False)},
    "LeakyReluOptions": {"alpha": (0, "f32", 0.0)},
    "ArgMaxOptions": {"output_type": (0, "i8", 0)},
    "StridedSliceOptions": {
        "begin_mask": (0, "i32", 0),
        "end_mask": (1, "i32", 0),
        "ellipsis_mask": (2, "i32", 0),
        "new_axis_mask": (3, "i32", 0),
        "shrink_axis_mask": (4, "i32", 0),
    },
    "PackOptions": {"values_count": (0, "i32", 0), "axis": (1, "i32", 0)},
    "GatherOptions": {"axis": (0, "i32", 0), "batch_dims": (1, "i32", 0)},
    "ShapeOptions": {"out_type": (0, "i8", 0)},
    "CastOptions": {"in_data_type": (0, "i8", 0), "out_data_type": (1, "i8", 0)},
}
# Tables without a field that matters here: PadOptions, TransposeOptions, ExpandDimsOptions, QuantizeOptions, ...
