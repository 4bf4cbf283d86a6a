#include "oracle/accounting.h"

#include <variant>

#include "graph/formats.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "graph/statistics.h"

namespace tinynas {
namespace {

const Tensor& tensor_at(const Graph& graph, std::int32_t index) { return graph.tensors[static_cast<std::size_t>(index)]; }

}  // namespace

std::int64_t weight_channels(const Graph& graph, const Operator& op) {
  if (!has_weights(op)) return 0;
  const Tensor& weights = tensor_at(graph, op.inputs[1]);
  return std::holds_alternative<DepthwiseConv2D>(op.kind) ? weights.shape.back() : weights.shape.front();
}

std::int64_t weight_bytes(const Graph& graph, const Operator& op) {
  if (!has_weights(op)) return 0;
  const Tensor& weights = tensor_at(graph, op.inputs[1]);
  return weights.constant ? byte_count(weights.shape, weights.dtype) : 0;
}

Cost make_cost(const Graph& graph) {
  Cost cost;
  const auto sizes = statistics(graph);
  cost.params = sizes.params;
  cost.act_bytes = sizes.act_bytes;
  cost.layers.resize(graph.operators.size());
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    auto& layer = cost.layers[i];
    layer.op = static_cast<std::int32_t>(i);
    layer.macs = operator_macs(graph, graph.operators[i]);
    cost.macs += layer.macs;
  }
  return cost;
}

void add_flash(const Graph& graph, std::int64_t bytes_per_channel, Cost& cost) {
  for (auto& layer : cost.layers) {
    const auto& op = graph.operators[static_cast<std::size_t>(layer.op)];
    layer.flash_bytes = weight_bytes(graph, op) + bytes_per_channel * weight_channels(graph, op);
    cost.flash_bytes += layer.flash_bytes;
  }
}

std::int64_t mac_budget(const ScheduleOptions& options, std::int64_t macs) {
  constexpr double kDefaultPercent = 25;
  return static_cast<std::int64_t>(static_cast<double>(macs) * options.mac_budget_percent.value_or(kDefaultPercent) / 100);
}

}  // namespace tinynas
