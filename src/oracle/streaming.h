// The streaming schedule: the cut into segments of rows that needs the least memory, every value computed once.
#pragma once

#include <vector>

#include "oracle/schedule.h"

namespace tinynas {

/// The minimax cut: dynamic programming over all cuts between operators, a segment costing its whole ends, its rings and its
/// scratch.
[[nodiscard]] std::vector<Segment> cut_into_segments(const ScheduleInput& input);

[[nodiscard]] Plan streaming_plan(const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
