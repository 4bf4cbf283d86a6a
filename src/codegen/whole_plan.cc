#include "codegen/whole_plan.h"

#include <algorithm>
#include <numeric>

#include "graph/error.h"
#include "oracle/kernels/scratch.h"
#include "oracle/packing/packing.h"
#include "oracle/packing/planner.h"
#include "oracle/rows.h"
#include "oracle/streaming/schedule.h"

namespace tinynas {
namespace {

constexpr std::int64_t kAlignment = 4;

/// The buffer that operator `op` may take over: that of its only input, when nothing else needs it.
bool takes_over(const Graph& graph, const RowGraph& rows, std::int32_t op) {
  const Operator& depthwise = graph.operators[static_cast<std::size_t>(op)];
  if (!std::holds_alternative<DepthwiseConv2D>(depthwise.kind)) return false;
  const auto &in = rows.tensor(depthwise.inputs.front()), &out = rows.tensor(depthwise.outputs.front());
  const bool same_channels = graph.tensors[static_cast<std::size_t>(depthwise.inputs.front())].shape.back() ==
                             graph.tensors[static_cast<std::size_t>(depthwise.outputs.front())].shape.back();
  for (const std::int32_t t : {depthwise.inputs[0], depthwise.inputs[1], depthwise.outputs[0]}) {
    if (graph.tensors[static_cast<std::size_t>(t)].dtype != DType::s8) return false;
  }
  return same_channels && in.last_reader == op && !in.graph_input && !in.graph_output && out.bytes <= in.bytes;
}

std::int64_t in_place_scratch(const Graph& graph, std::int32_t op) {
  const auto shape = kernel_shape(graph, graph.operators[static_cast<std::size_t>(op)], 1);
  return tn_scratch_portable(TN_KIND_DEPTHWISE_IN_PLACE, &shape);
}

/// Marks the in-place outputs and gives their segments the scratch of a plane.
void share_buffers(const Graph& graph, const RowGraph& rows, Plan& plan) {
  const auto buffer_of = [&](std::int32_t tensor) {
    const auto at =
        std::find_if(plan.buffers.begin(), plan.buffers.end(), [&](const Buffer& b) { return b.tensor == tensor; });
    return static_cast<std::int32_t>(at - plan.buffers.begin());
  };
  for (auto& segment : plan.segments) {
    const auto op = segment.operators.front();
    if (!takes_over(graph, rows, op)) continue;
    const Operator& depthwise = graph.operators[static_cast<std::size_t>(op)];
    plan.buffers[static_cast<std::size_t>(buffer_of(depthwise.outputs.front()))].shares_with =
        buffer_of(depthwise.inputs.front());
    if (segment.scratch < 0) {
      segment.scratch = static_cast<std::int32_t>(plan.buffers.size());
      Buffer scratch;
      scratch.rows = 1;
      scratch.first_segment = scratch.last_segment = static_cast<std::int32_t>(&segment - plan.segments.data());
      plan.buffers.push_back(scratch);
    }
    auto& scratch = plan.buffers[static_cast<std::size_t>(segment.scratch)];
    scratch.bytes = scratch.row_bytes = std::max(scratch.bytes, in_place_scratch(graph, op));
  }
}

/// First fit, largest first; buffers that share bytes are one block that lives as long as any of them.
void place(Plan& plan) {
  std::vector<std::size_t> root(plan.buffers.size());
  std::vector<PackItem> items;
  std::vector<std::size_t> item_of(plan.buffers.size());
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& buffer = plan.buffers[i];
    root[i] = buffer.shares_with < 0 ? i : root[static_cast<std::size_t>(buffer.shares_with)];
    if (root[i] == i) {
      item_of[i] = items.size();
      items.push_back({buffer.bytes, buffer.first_segment, buffer.last_segment + 1});
    }
    auto& item = items[item_of[root[i]]];
    item.upper = std::max(item.upper, buffer.last_segment + 1);
  }
  std::vector<std::int32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return items[static_cast<std::size_t>(a)].size > items[static_cast<std::size_t>(b)].size;
  });
  const auto packing = pack_in_order(items, order, kAlignment);
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) plan.buffers[i].offset = packing.offsets[item_of[root[i]]];
  plan.arena_bytes = packing.bytes;
}

}  // namespace

Plan whole_tensor_plan(const Graph& graph, const std::string& schedule, const ScheduleOptions& options) {
  if (schedule != "layerwise" && schedule != "tinyengine") {
    throw InputError("[plan] schedule '" + schedule + "': expected layerwise or tinyengine");
  }
  const auto rows = make_row_graph(graph);
  std::vector<Segment> segments;
  for (std::int32_t op = 0; op < rows.operator_count(); ++op) segments.push_back({{op}, {}, -1});
  Plan plan = make_plan({graph, rows, options}, schedule, std::move(segments));
  if (schedule == "tinyengine") {
    share_buffers(graph, rows, plan);
    place(plan);
  }
  return plan;
}

}  // namespace tinynas
