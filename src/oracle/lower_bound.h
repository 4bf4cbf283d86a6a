// How little memory any schedule can need that computes every value once.
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "oracle/rows.h"

namespace tinynas {

/// While an operator x of a chain is at progress p in [1/4, 3/4], every other operator of the chain is finished, not
/// started, or in flight too; the operators in flight are a run i..j around x. The input of i is still needed for 1 - p, the
/// output of j is there for p, and an operator between them with a window of k rows and stride s has to hold at least min((k
/// - s) * min(H, W), H * W / 4) pixels of its input, whatever the order in which it computes. The bound is the greatest over
/// x and p of the least over i and j; with a stored image it is at least the image. A graph with branches is bounded by the
/// chain that leads to its output through the latest producers. Bytes; 0 when there is no feature map.
[[nodiscard]] std::int64_t lower_bound_bytes(const Graph& graph, const RowGraph& rows, bool image_streamed);

}  // namespace tinynas
