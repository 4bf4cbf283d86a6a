#include "oracle/auto_schedule.h"

#include <utility>

#include "oracle/latency.h"
#include "oracle/recompute.h"
#include "oracle/rows.h"
#include "oracle/schedule.h"
#include "oracle/streaming.h"

namespace tinynas {
namespace {

AutoSchedule stream(const Graph& graph, ScheduleOptions options, Prefer prefer) {
  options.prefer = prefer;
  auto plan = streaming_plan(graph, options);
  const auto rows = make_row_graph(graph);
  AutoSchedule schedule{plan_cost({graph, rows, options}, plan), std::move(plan)};
  if (options.latency) add_engine_latency(graph, *schedule.plan, options, schedule.cost);
  schedule.cost.chosen = prefer == Prefer::speed ? "streaming, speed preferred" : "streaming, memory preferred";
  return schedule;
}

}  // namespace

AutoSchedule auto_schedule(const Graph& graph, const ScheduleOptions& options) {
  const auto fits = [&](const Cost& cost) { return options.sram_bytes == 0 || cost.sram_bytes <= options.sram_bytes; };
  auto fast = stream(graph, options, Prefer::speed);
  if (fits(fast.cost)) return fast;
  auto small = stream(graph, options, Prefer::memory);
  if (fits(small.cost) || options.mac_budget_percent.value_or(0) <= 0) return small;
  auto recomputing = recompute_cost(graph, options);
  if (!fits(recomputing)) return small;
  recomputing.chosen = "streaming, " + recomputing.chosen;
  return {std::move(recomputing), std::nullopt};
}

}  // namespace tinynas
