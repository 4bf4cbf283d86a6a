// The schedule `streaming+recompute`: streaming in which some expanded tensors are not held in rings.
//
// An expanded tensor, made by a 1x1 convolution and read by a k x k window alone, needs a ring of [(k - 1) * W + k] * C
// bytes because every row of it is read by k rows of output. Recomputed, it exists only under the window: k * k * C bytes,
// and each of its rows is computed again for every output row that reads it. The two operators then are one (fused) that
// reads the convolution's input through the window, and it is that graph of fused operators that is cut, planned and
// checked. Extra MACs: those of the 1x1 convolution times (rows read over all output rows / rows - 1), about k / s - 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/streaming/schedule.h"

namespace tinynas {

/// A 1x1 convolution whose output is recomputed under the window of its only reader.
struct Fusion {
  std::int32_t expand = -1, reader = -1;  // operators
  std::int64_t window_bytes = 0;          // kept from step to step: what lies under the window, the convolution's scratch
  std::int64_t extra_macs = 0;
};

/// All of a graph, in operator order.
[[nodiscard]] std::vector<Fusion> find_fusions(const Graph& graph, const RowGraph& rows);

/// A graph in which some pairs are one operator. It describes sizes: the fused operator is a depthwise convolution with the
/// window of the reader, without weights.
struct FusedGraph {
  Graph graph;
  std::vector<std::int64_t> kept;       // ScheduleInput::kept
  std::vector<std::int32_t> operators;  // of the original graph, by operator here: the reader
};
[[nodiscard]] FusedGraph fuse(const Graph& graph, std::span<const Fusion> fusions);

struct RecomputePlan {
  std::vector<Fusion> fusions;
  std::int64_t extra_macs = 0;
  FusedGraph fused;
  Plan plan;  // of fused.graph
};

/// Plans of ever less memory and ever more MACs; the first recomputes nothing (streaming, preferring memory). Between the
/// two ends some peaks are tried, each with the fusions that it needs, found by leaving them out one by one.
[[nodiscard]] std::vector<RecomputePlan> recompute_plans(const Graph& graph, const ScheduleOptions& options);

/// Of these the one with the fewest extra MACs within `sram_bytes` of the options, or else the one of least memory within
/// the budget. `macs` count what is recomputed; `lower_bound_bytes` is 0 where anything is.
[[nodiscard]] Cost recompute_cost(const Graph& graph, const ScheduleOptions& options);
[[nodiscard]] Cost cost_of(const RecomputePlan& chosen, const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
