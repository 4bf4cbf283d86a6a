// Size and work of any graph, by the definitions of the published MCUNet tables. The formulas per operator are the graph's
// (graph/operators.h).
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace tinynas {

struct Statistics {
  std::int64_t macs = 0, params = 0, act_bytes = 0;
};

/// Weights + 2 per channel of a convolution (its BatchNorm's scale and shift; here folded into weights and bias) + bias of
/// fully connected layers.
[[nodiscard]] std::int64_t params(const Graph& graph);

/// "Act": the maximum over operators of the bytes of its inputs, its outputs, and every other activation that a later
/// operator still reads (residuals). Constants do not count.
[[nodiscard]] std::int64_t act_bytes(const Graph& graph);

/// MACs (graph_macs() of operators.h) and the two above. InputError when a tensor is too large to count.
[[nodiscard]] Statistics statistics(const Graph& graph);

}  // namespace tinynas
