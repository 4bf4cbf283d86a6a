#include "oracle/streaming/auto_schedule.h"

#include <string>
#include <utility>

#include "oracle/kernels/latency.h"
#include "oracle/rows.h"
#include "oracle/streaming/layerwise.h"
#include "oracle/streaming/recompute.h"
#include "oracle/streaming/schedule.h"
#include "oracle/streaming/streaming.h"

namespace tinynas {
namespace {

AutoSchedule schedule_of(const Graph& graph, const ScheduleOptions& options, Plan plan, std::string chosen) {
  const auto rows = make_row_graph(graph);
  AutoSchedule schedule{plan_cost({graph, rows, options}, plan), std::move(plan)};
  if (options.latency) add_engine_latency(graph, *schedule.plan, options, schedule.cost);
  schedule.cost.chosen = std::move(chosen);
  return schedule;
}

AutoSchedule stream(const Graph& graph, ScheduleOptions options, Prefer prefer) {
  options.prefer = prefer;
  return schedule_of(graph, options, streaming_plan(graph, options),
                     prefer == Prefer::speed ? "streaming, speed preferred" : "streaming, memory preferred");
}

}  // namespace

AutoSchedule auto_schedule(const Graph& graph, const ScheduleOptions& options) {
  const auto fits = [&](const AutoSchedule& s) {
    return options.sram_bytes == 0 || s.cost.sram_bytes <= options.sram_bytes;
  };
  const bool predicted = options.latency != nullptr;  // without a model the order decides
  auto fast = stream(graph, options, Prefer::speed);
  if (fits(fast) && !predicted) return fast;
  auto layers = schedule_of(graph, options, layerwise_plan(graph, options), "layerwise");
  const bool layers_fit = fits(layers);
  const auto cheaper = [&](const AutoSchedule& other) {
    return layers_fit && layers.cost.instructions < other.cost.instructions ? layers : other;
  };
  if (fits(fast)) return cheaper(fast);
  if (layers_fit && !predicted) return layers;
  auto small = stream(graph, options, Prefer::memory);
  if (fits(small)) return cheaper(small);
  if (layers_fit) return layers;
  if (options.mac_budget_percent.value_or(0) > 0) {
    auto recomputing = recompute_cost(graph, options);
    recomputing.chosen = "streaming, " + recomputing.chosen;
    AutoSchedule schedule{std::move(recomputing), std::nullopt};
    if (fits(schedule)) return schedule;
  }
  return layers.cost.sram_bytes < small.cost.sram_bytes ? layers : small;
}

}  // namespace tinynas
