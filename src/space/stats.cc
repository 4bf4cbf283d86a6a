#include "space/stats.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas {
namespace {

bool is_convolution(const Operator& op) {
  return std::holds_alternative<Conv2D>(op.kind) || std::holds_alternative<DepthwiseConv2D>(op.kind) ||
         std::holds_alternative<TransposeConv>(op.kind);
}

std::int64_t tensor_bytes(const Graph& graph, std::int32_t index) {
  const Tensor& tensor = graph.tensors[index];
  return byte_count(tensor.shape, tensor.dtype);
}

/// Index of the last operator that reads each tensor, -1 if none; the graph's outputs live to the end.
std::vector<std::int32_t> last_uses(const Graph& graph) {
  const auto count = static_cast<std::int32_t>(graph.operators.size());
  std::vector<std::int32_t> last(graph.tensors.size(), -1);
  for (std::int32_t i = 0; i < count; ++i) {
    for (const auto t : graph.operators[i].inputs) {
      if (t >= 0) last[t] = i;
    }
  }
  for (const auto t : graph.outputs) last[t] = count;
  return last;
}

}  // namespace

std::int64_t macs(const Graph& graph) { return graph_macs(graph); }

std::int64_t params(const Graph& graph) {
  std::int64_t sum = weight_count(graph);
  for (const Operator& op : graph.operators) {
    if (is_convolution(op)) {
      sum += 2 * static_cast<std::int64_t>(graph.tensors[op.outputs[0]].shape.back());
    } else if (std::holds_alternative<FullyConnected>(op.kind) && op.inputs.size() > 2 && op.inputs[2] >= 0) {
      sum += element_count(graph.tensors[op.inputs[2]].shape);
    }
  }
  return sum;
}

std::int64_t act_bytes(const Graph& graph) {
  const std::vector<std::int32_t> last = last_uses(graph);
  std::int64_t live = 0, peak = 0;
  for (const auto t : graph.inputs) live += tensor_bytes(graph, t);
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    for (const auto t : op.outputs) live += tensor_bytes(graph, t);
    peak = std::max(peak, live);
    std::vector<std::int32_t> touched = op.inputs;
    touched.insert(touched.end(), op.outputs.begin(), op.outputs.end());
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (const auto t : touched) {
      const bool ended = t >= 0 && !graph.tensors[t].constant && last[t] <= static_cast<std::int32_t>(i);
      if (ended) live -= tensor_bytes(graph, t);
    }
  }
  return peak;
}

Statistics statistics(const Graph& graph) { return {macs(graph), params(graph), act_bytes(graph)}; }

}  // namespace tinynas
