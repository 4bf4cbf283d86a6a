// The schedule `auto`: the fastest way to run a network in the memory that there is.
#pragma once

#include <optional>

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

struct AutoSchedule {
  Cost cost;                 // `chosen` says what was taken
  std::optional<Plan> plan;  // none: recomputing, which the engine does not run
};

/// Of the schedules below the first that takes at most `sram_bytes` of the options (0: any):
/// 1. streaming, preferring speed: the fastest kernels, rows at once as far as the memory goes;
/// 2. streaming, preferring memory: equally many MACs, some of them by single pixels;
/// 3. with a MAC budget, streaming with the least recomputation that fits.
/// When none fits, the one of least memory that the engine runs: the second.
[[nodiscard]] AutoSchedule auto_schedule(const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
