// The schedule `auto`: the cheapest way to run a network in the memory that there is.
#pragma once

#include <optional>

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

struct AutoSchedule {
  Cost cost;                 // `chosen` says what was taken
  std::optional<Plan> plan;  // none: recomputing, which the engine does not run
};

/// The cheapest schedule that takes at most `sram_bytes` of the options (0: any). Cheapest means the fewest predicted
/// instructions; without a latency model, the first of:
/// 1. streaming, preferring speed: the fastest kernels, rows at once as far as the memory goes; where it fits, the third is
///    not asked;
/// 2. layer by layer: the same kernels row by row;
/// 3. streaming, preferring memory: equally many MACs, some of them by single pixels;
/// 4. with a MAC budget, streaming with the least recomputation that fits, which has no prediction.
/// When none fits, the one of least memory that the engine runs.
[[nodiscard]] AutoSchedule auto_schedule(const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
