#include "space/stats.h"

#include <algorithm>
#include <variant>
#include <vector>

namespace tinynas {
namespace {

std::int64_t elements(const Tensor& tensor) {
  std::int64_t count = 1;
  for (const auto dimension : tensor.shape) count *= dimension;
  return count;
}

std::int64_t activation_bytes(const Tensor& tensor) {
  const std::int64_t count = elements(tensor);
  switch (tensor.dtype) {
    case DType::s4:
      return (count + 1) / 2;
    case DType::s8:
    case DType::u8:
      return count;
    case DType::s16:
      return 2 * count;
    case DType::f32:
    case DType::s32:
      return 4 * count;
    case DType::s64:
      return 8 * count;
  }
  return count;
}

template <typename Kind>
bool is(const Operator& op) {
  return std::holds_alternative<Kind>(op.kind);
}

}  // namespace

std::int64_t operator_macs(const Graph& graph, const Operator& op) {
  const bool convolution = is<Conv2D>(op), depthwise = is<DepthwiseConv2D>(op);
  if (!convolution && !depthwise && !is<TransposeConv>(op) && !is<FullyConnected>(op)) return 0;
  const Tensor& input = graph.tensors[op.inputs[0]];
  const Tensor& weights = graph.tensors[op.inputs[1]];
  const Tensor& output = graph.tensors[op.outputs[0]];
  if (convolution) return elements(output) * weights.shape[1] * weights.shape[2] * weights.shape[3];
  if (depthwise) return elements(output) * weights.shape[1] * weights.shape[2];
  if (is<FullyConnected>(op)) return elements(output) * weights.shape[1];
  return elements(input) * weights.shape[0] * weights.shape[1] * weights.shape[2];  // every input value meets the kernel
}

std::int64_t macs(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Operator& op : graph.operators) sum += operator_macs(graph, op);
  return sum;
}

std::int64_t params(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Operator& op : graph.operators) {
    const bool convolution = is<Conv2D>(op) || is<DepthwiseConv2D>(op) || is<TransposeConv>(op);
    if (!convolution && !is<FullyConnected>(op)) continue;
    sum += elements(graph.tensors[op.inputs[1]]);
    const bool biased = op.inputs.size() > 2 && op.inputs[2] >= 0;
    if (convolution) {
      sum += 2 * static_cast<std::int64_t>(graph.tensors[op.outputs[0]].shape.back());
    } else if (biased) {
      sum += elements(graph.tensors[op.inputs[2]]);
    }
  }
  return sum;
}

std::int64_t act_bytes(const Graph& graph) {
  // Live range of every activation in operators: [first, last]. Inputs exist from the start, outputs until the end.
  const auto count = static_cast<std::int32_t>(graph.operators.size());
  std::vector<std::int32_t> last(graph.tensors.size(), -1);
  for (std::int32_t i = 0; i < count; ++i) {
    for (const auto t : graph.operators[i].inputs) {
      if (t >= 0) last[t] = i;
    }
  }
  for (const auto t : graph.outputs) last[t] = count;
  std::int64_t live = 0, peak = 0;
  for (const auto t : graph.inputs) live += activation_bytes(graph.tensors[t]);
  for (std::int32_t i = 0; i < count; ++i) {
    const Operator& op = graph.operators[i];
    for (const auto t : op.outputs) live += activation_bytes(graph.tensors[t]);
    peak = std::max(peak, live);
    std::vector<std::int32_t> ended = op.inputs;
    ended.insert(ended.end(), op.outputs.begin(), op.outputs.end());
    std::sort(ended.begin(), ended.end());
    ended.erase(std::unique(ended.begin(), ended.end()), ended.end());
    for (const auto t : ended) {
      if (t >= 0 && !graph.tensors[t].constant && last[t] <= i) live -= activation_bytes(graph.tensors[t]);
    }
  }
  return peak;
}

}  // namespace tinynas
