#include "oracle/streaming/recompute.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "graph/operators.h"
#include "oracle/accounting.h"
#include "oracle/kernels/scratch.h"
#include "oracle/streaming/streaming.h"

namespace tinynas {
namespace {

constexpr std::int64_t kPeaks = 12;  // tried between the two ends

bool is_pointwise(const RowGraph& rows, const Graph& graph, std::int32_t op) {
  const bool convolves = std::holds_alternative<Conv2D>(graph.operators[static_cast<std::size_t>(op)].kind);
  if (!convolves || !rows.operators[static_cast<std::size_t>(op)].by_pixels) return false;
  const auto inputs = rows.inputs(op);
  const auto is_one = [](const AxisAccess& axis) { return axis.stride == 1 && axis.extent == 1 && axis.pad == 0; };
  return inputs.size() == 1 && is_one(inputs.front().vertical()) && is_one(inputs.front().columns);
}

/// The window operator that alone reads the operator's output, -1: none.
std::int32_t window_reader(const RowGraph& rows, const Graph& graph, std::int32_t op) {
  const auto& output = rows.tensor(rows.operators[static_cast<std::size_t>(op)].output);
  if (output.graph_output || output.readers.size() != 1) return -1;
  const auto reader = output.readers.front();
  const auto& kind = graph.operators[static_cast<std::size_t>(reader)].kind;
  const bool convolves = std::holds_alternative<Conv2D>(kind) || std::holds_alternative<DepthwiseConv2D>(kind);
  const auto& info = rows.operators[static_cast<std::size_t>(reader)];
  const bool windowed = info.accesses == 1 && info.by_pixels && rows.inputs(reader).front().extent > 1;
  return convolves && windowed ? reader : -1;
}

Fusion make_fusion(const Graph& graph, const RowGraph& rows, std::int32_t expand, std::int32_t reader) {
  const auto& tensor = rows.tensor(rows.operators[static_cast<std::size_t>(expand)].output);
  const auto& access = rows.inputs(reader).front();
  const auto& convolution = graph.operators[static_cast<std::size_t>(expand)];
  std::int64_t rows_read = 0;
  const auto output_rows = rows.tensor(rows.operators[static_cast<std::size_t>(reader)].output).rows;
  for (std::int32_t y = 0; y < output_rows; ++y) rows_read += access.rows(y).end - access.rows(y).begin;
  const auto macs = operator_macs(graph, convolution);
  const auto under_window = std::int64_t{std::min(access.extent, tensor.rows)} *
                            std::min(access.columns.extent, tensor.columns) * tensor.pixel_bytes();
  return {expand, reader, (under_window + 3) / 4 * 4 + pixel_kernel_scratch(graph, convolution),
          macs * (rows_read - tensor.rows) / tensor.rows};
}

/// Sizes alone: cheap to copy.
Graph without_data(Graph graph) {
  for (auto& tensor : graph.tensors) tensor.data.clear();
  return graph;
}

std::int64_t total(std::span<const Fusion> fusions) {
  std::int64_t macs = 0;
  for (const auto& fusion : fusions) macs += fusion.extra_macs;
  return macs;
}

/// One network, fused in several ways.
class Recomputing {
 public:
  Recomputing(const Graph& graph, const ScheduleOptions& options)
      : graph_(without_data(graph)), options_(options), rows_(make_row_graph(graph_)), all_(find_fusions(graph_, rows_)) {
    options_.prefer = Prefer::memory;
  }

  std::vector<RecomputePlan> plans() const {
    std::vector<RecomputePlan> found{plan_of({})};
    const auto most = least_cut_peak({graph_, rows_, options_}, kBothGrains);
    const auto least = peak_of(all_);
    for (std::int64_t i = 1; i <= kPeaks && least < most; ++i) {
      auto fusions = needed_for(most - (most - least) * i / kPeaks);
      if (total(fusions) <= found.back().extra_macs) continue;
      auto plan = plan_of(std::move(fusions));
      if (plan.plan.arena_bytes < found.back().plan.arena_bytes) found.push_back(std::move(plan));
    }
    return found;
  }

 private:
  [[nodiscard]] std::int64_t peak_of(std::span<const Fusion> fusions) const {
    const auto fused = fuse(graph_, fusions);
    const auto rows = make_row_graph(fused.graph);
    return least_cut_peak({fused.graph, rows, options_, fused.kept}, kBothGrains);
  }

  /// Leaves out one fusion after the other, the dearest first, as long as the peak stays.
  [[nodiscard]] std::vector<Fusion> needed_for(std::int64_t peak) const {
    auto kept = all_;
    std::stable_sort(kept.begin(), kept.end(), [](const Fusion& a, const Fusion& b) { return a.extra_macs > b.extra_macs; });
    for (std::size_t i = 0; i < kept.size();) {
      auto fewer = kept;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (peak_of(fewer) <= peak) {
        kept = std::move(fewer);
      } else {
        ++i;
      }
    }
    return kept;
  }

  [[nodiscard]] RecomputePlan plan_of(std::vector<Fusion> fusions) const {
    RecomputePlan made;
    made.extra_macs = total(fusions);
    made.fused = fuse(graph_, fusions);
    made.fusions = std::move(fusions);
    if (made.fusions.empty()) {
      made.plan = streaming_plan(graph_, options_);
      return made;
    }
    const auto rows = make_row_graph(made.fused.graph);
    const ScheduleInput input{made.fused.graph, rows, options_, made.fused.kept};
    made.plan = make_plan(input, "streaming+recompute", cut_into_segments(input, kBothGrains), kThoroughPacking);
    return made;
  }

  Graph graph_;
  ScheduleOptions options_;
  RowGraph rows_;
  std::vector<Fusion> all_;
};

const RecomputePlan& choose(const std::vector<RecomputePlan>& plans, std::int64_t macs, const ScheduleOptions& options) {
  const auto budget = mac_budget(options, macs);
  const auto* chosen = &plans.front();
  for (const auto& plan : plans) {
    if (options.sram_bytes > 0 && chosen->plan.arena_bytes <= options.sram_bytes) break;
    if (plan.extra_macs <= budget) chosen = &plan;
  }
  return *chosen;
}

}  // namespace

std::vector<Fusion> find_fusions(const Graph& graph, const RowGraph& rows) {
  std::vector<Fusion> fusions;
  for (std::int32_t op = 0; op < rows.operator_count(); ++op) {
    if (!is_pointwise(rows, graph, op)) continue;
    const auto reader = window_reader(rows, graph, op);
    if (reader >= 0) fusions.push_back(make_fusion(graph, rows, op, reader));
  }
  return fusions;
}

FusedGraph fuse(const Graph& graph, std::span<const Fusion> fusions) {
  FusedGraph fused;
  fused.graph = graph;
  fused.graph.operators.clear();
  const auto at = [&](auto member, std::int32_t op) {
    return std::find_if(fusions.begin(), fusions.end(), [&](const Fusion& f) { return f.*member == op; });
  };
  for (std::int32_t op = 0; op < static_cast<std::int32_t>(graph.operators.size()); ++op) {
    if (at(&Fusion::expand, op) != fusions.end()) continue;
    auto operation = graph.operators[static_cast<std::size_t>(op)];
    std::int64_t kept = 0;
    if (const auto fusion = at(&Fusion::reader, op); fusion != fusions.end()) {
      const auto window = *kernel_window(graph, operation);
      const auto& output = graph.tensors[static_cast<std::size_t>(operation.outputs.front())].shape;
      Tensor weights;
      weights.name = operation.name + ".fused";
      weights.shape = {1, window.kernel_h, window.kernel_w, output.back()};
      weights.constant = true;
      operation.kind = DepthwiseConv2D{.window = window.window};
      operation.inputs = {graph.operators[static_cast<std::size_t>(fusion->expand)].inputs.front(),
                          static_cast<std::int32_t>(fused.graph.tensors.size())};
      fused.graph.tensors.push_back(std::move(weights));
      kept = fusion->window_bytes;
    }
    fused.graph.operators.push_back(std::move(operation));
    fused.operators.push_back(op);
    fused.kept.push_back(kept);
  }
  return fused;
}

std::vector<RecomputePlan> recompute_plans(const Graph& graph, const ScheduleOptions& options) {
  return Recomputing(graph, options).plans();
}

Cost recompute_cost(const Graph& graph, const ScheduleOptions& options) {
  const auto plans = recompute_plans(graph, options);
  return cost_of(choose(plans, graph_macs(graph), options), graph, options);
}

Cost cost_of(const RecomputePlan& chosen, const Graph& graph, const ScheduleOptions& options) {
  const auto& fused = chosen.fused;
  const auto rows = make_row_graph(fused.graph);
  const auto of_plan = plan_cost({fused.graph, rows, options, fused.kept}, chosen.plan);
  auto cost = make_cost(graph);
  add_flash(graph, kEngineFlashPerChannel, cost);
  cost.macs += chosen.extra_macs;
  cost.sram_bytes = of_plan.sram_bytes;
  cost.activation_bytes = of_plan.activation_bytes;
  cost.scratch_bytes = of_plan.scratch_bytes;
  cost.peak_operator = fused.operators[static_cast<std::size_t>(of_plan.peak_operator)];
  if (chosen.fusions.empty()) cost.lower_bound_bytes = of_plan.lower_bound_bytes;
  for (std::size_t i = 0; i < fused.operators.size(); ++i) {
    cost.layers[static_cast<std::size_t>(fused.operators[i])].sram_bytes = of_plan.layers[i].sram_bytes;
  }
  for (const auto& fusion : chosen.fusions) {
    auto& expand = cost.layers[static_cast<std::size_t>(fusion.expand)];
    expand.macs += fusion.extra_macs;
    expand.sram_bytes = cost.layers[static_cast<std::size_t>(fusion.reader)].sram_bytes;
  }
  cost.chosen = std::to_string(chosen.fusions.size()) + " expanded tensors recomputed";
  return cost;
}

}  // namespace tinynas
