// The JSON form of a graph: lossless, constants in base64.
//
//   {"format": "tinynas-graph", "version": 1, "name": "net",
//    "tensors": [{"name": "image", "shape": [1, 8, 8, 3], "dtype": "s8", "scale": [0.0078125], "zero_point": [0]},
//                {"name": "w", "shape": [4, 3, 3, 3], "dtype": "s8", "scale": [...], "zero_point": [...], "axis": 0,
//                 "constant": true, "data": "base64"}, ...],
//    "operators": [{"op": "conv2d", "name": "stem", "inputs": [0, 1, -1], "outputs": [2], "stride_h": 2, ...}, ...],
//    "inputs": [0], "outputs": [2]}
//
// Attributes of an operator stand beside its name; those left out have their defaults. "scale", "zero_point", "axis",
// "constant", "data", "source_index" may be left out too.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace tinynas {

[[nodiscard]] std::string to_json(const Graph& graph);

/// InputError for anything but a graph's JSON: broken text, an unknown key, operator, dtype or activation, a value of the
/// wrong type or out of range. The graph is complete but not validated: call validate() before using a graph of doubtful
/// origin.
[[nodiscard]] Graph from_json(std::string_view text);

}  // namespace tinynas
