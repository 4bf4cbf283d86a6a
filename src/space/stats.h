// Size and work of any graph, by the definitions of the published MCUNet tables.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace tinynas {

/// Multiply-accumulates of one operator: convolutions (depthwise and transposed too) and fully connected; 0 for all others.
[[nodiscard]] std::int64_t operator_macs(const Graph& graph, const Operator& op);

/// Sum of operator_macs.
[[nodiscard]] std::int64_t macs(const Graph& graph);

/// Weights + 2 per channel of a convolution (its BatchNorm's scale and shift; here folded into weights and bias) + bias of
/// fully connected layers.
[[nodiscard]] std::int64_t params(const Graph& graph);

/// "Act": the maximum over operators of the bytes of its inputs, its outputs, and every other activation that a later
/// operator still reads (residuals). Constants do not count.
[[nodiscard]] std::int64_t act_bytes(const Graph& graph);

}  // namespace tinynas
