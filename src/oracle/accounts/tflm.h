// TensorFlow Lite Micro's arena: whole tensors and scratch placed greedily by size, PAD materialised, metadata beside them.
// An account of another engine; nothing here is executed by ours.
#pragma once

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

/// `activation_bytes` is what its planner lays out, scratch of the convolutions (CMSIS-NN) within it; `scratch_bytes` is the
/// persistent part of the arena (multipliers, nodes, tensors): 8 B per output channel + 150 B per operator + 285 B.
/// `flash_bytes`: weights + 28.2 B per channel + 736 B per operator. A convolution whose padding is not TensorFlow's SAME
/// gets an explicit PAD.
[[nodiscard]] Cost tflm_cost(const Graph& graph);

}  // namespace tinynas
