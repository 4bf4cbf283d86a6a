// What every schedule reports alike: work, parameters, Flash, the published "Act".
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "oracle/oracle.h"
#include "oracle/rows.h"

namespace tinynas {

/// Output channels of an operator with weights; 0 for any other.
[[nodiscard]] std::int64_t weight_channels(const Graph& graph, const Operator& op);

/// Bytes of the weights alone (the second input of an operator with weights).
[[nodiscard]] std::int64_t weight_bytes(const Graph& graph, const Operator& op);

/// Bytes of the activations that exist while each operator runs, its inputs and output among them, each tensor by itself and
/// whole, the graph's outputs to the end.
[[nodiscard]] std::vector<std::int64_t> live_bytes(const RowGraph& rows);

/// `macs`, `params` (weights + 2 per channel of a convolution for its BatchNorm + bias of fully connected layers),
/// `act_bytes` and one entry of `layers` per operator with its `macs`; everything else zero.
[[nodiscard]] Cost make_cost(const Graph& graph, const RowGraph& rows);

}  // namespace tinynas
