#include "oracle/accounting.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "graph/formats.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

const Tensor& tensor_at(const Graph& graph, std::int32_t index) { return graph.tensors[static_cast<std::size_t>(index)]; }

std::int64_t element_count(const Tensor& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1},
                         [](std::int64_t product, std::int32_t dimension) { return product * dimension; });
}

template <class Kind>
bool is(const Operator& op) {
  return std::holds_alternative<Kind>(op.kind);
}

std::int64_t parameter_count(const Graph& graph, const Operator& op) {
  if (!has_weights(op)) return 0;
  const auto channels = weight_channels(graph, op);
  const bool bias = op.inputs.size() > 2 && op.inputs[2] >= 0;
  const auto extra = is<FullyConnected>(op) ? (bias ? channels : 0) : 2 * channels;
  return element_count(tensor_at(graph, op.inputs[1])) + extra;
}

}  // namespace

std::int64_t weight_channels(const Graph& graph, const Operator& op) {
  if (!has_weights(op)) return 0;
  const Tensor& weights = tensor_at(graph, op.inputs[1]);
  return is<DepthwiseConv2D>(op) ? weights.shape.back() : weights.shape.front();
}

std::int64_t weight_bytes(const Graph& graph, const Operator& op) {
  if (!has_weights(op)) return 0;
  const Tensor& weights = tensor_at(graph, op.inputs[1]);
  return weights.constant ? value_bytes(weights.dtype, element_count(weights)) : 0;
}

std::vector<std::int64_t> live_bytes(const RowGraph& rows) {
  std::vector<std::int64_t> change(rows.operators.size() + 1, 0);
  for (const auto& tensor : rows.tensors) {
    if (!tensor.activation || (tensor.producer < 0 && !tensor.graph_input)) continue;
    const auto first = static_cast<std::size_t>(std::max(tensor.producer, 0));
    const auto last = static_cast<std::size_t>(std::max(tensor.last_reader, static_cast<std::int32_t>(first)));
    change[first] += tensor.bytes;
    if (last + 1 < change.size()) change[last + 1] -= tensor.bytes;
  }
  std::vector<std::int64_t> live(rows.operators.size());
  std::partial_sum(change.begin(), change.end() - 1, live.begin());
  return live;
}

Cost make_cost(const Graph& graph, const RowGraph& rows) {
  Cost cost;
  const auto live = live_bytes(rows);
  cost.act_bytes = live.empty() ? 0 : *std::max_element(live.begin(), live.end());
  cost.layers.resize(graph.operators.size());
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    auto& layer = cost.layers[i];
    layer.op = static_cast<std::int32_t>(i);
    layer.macs = operator_macs(graph, graph.operators[i]);
    cost.macs += layer.macs;
    cost.params += parameter_count(graph, graph.operators[i]);
  }
  return cost;
}

}  // namespace tinynas
