#include "graph/operators.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "graph/formats.h"
#include "graph/shape.h"

namespace tinynas {
namespace {

template <std::size_t... I>
OperatorKind make_by_index(std::size_t index, std::index_sequence<I...>) {
  OperatorKind kind;
  ((index == I ? (void)(kind = std::variant_alternative_t<I, OperatorKind>{}) : (void)0), ...);
  return kind;
}

struct DTypeInfo {
  std::string_view name;
  std::int32_t bits;
};
constexpr std::array<DTypeInfo, 7> kDTypes = {
    {{"f32", 32}, {"s8", 8}, {"u8", 8}, {"s4", 4}, {"s16", 16}, {"s32", 32}, {"s64", 64}}};
constexpr std::array<std::string_view, 3> kActivations = {"none", "relu", "relu6"};

}  // namespace

const OperatorInfo& operator_info(const OperatorKind& kind) { return kOperatorInfo[kind.index()]; }

std::string_view operator_name(const OperatorKind& kind) { return operator_info(kind).name; }

std::optional<OperatorKind> make_operator(std::string_view name) {
  for (std::size_t i = 0; i < kOperatorInfo.size(); ++i) {
    if (kOperatorInfo[i].name == name) {
      return make_by_index(i, std::make_index_sequence<std::variant_size_v<OperatorKind>>{});
    }
  }
  return std::nullopt;
}

std::string_view dtype_name(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> parse_dtype(std::string_view name) {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::int32_t dtype_bits(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)].bits; }

std::int32_t dtype_min(DType dtype) {
  if (dtype == DType::u8) return 0;
  return static_cast<std::int32_t>(-(std::int64_t{1} << (std::min(dtype_bits(dtype), 32) - 1)));
}

std::int32_t dtype_max(DType dtype) {
  if (dtype == DType::u8) return 255;
  return static_cast<std::int32_t>((std::int64_t{1} << (std::min(dtype_bits(dtype), 32) - 1)) - 1);
}

std::string_view activation_name(Activation activation) { return kActivations[static_cast<std::size_t>(activation)]; }

std::optional<Activation> parse_activation(std::string_view name) {
  for (std::size_t i = 0; i < kActivations.size(); ++i) {
    if (kActivations[i] == name) return static_cast<Activation>(i);
  }
  return std::nullopt;
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string operator_text(const Graph& graph, std::size_t index) {
  const Operator& op = graph.operators.at(index);
  std::string text = "operator " + std::to_string(index) + " (" + std::string(operator_name(op.kind));
  if (!op.name.empty()) text += " '" + op.name + "'";
  return text + ")";
}

std::optional<KernelWindow> kernel_window(const Graph& graph, const Operator& op) {
  return std::visit(
      [&](const auto& kind) -> std::optional<KernelWindow> {
        if constexpr (requires { kind.kernel_h; }) {
          return KernelWindow{kind.kernel_h, kind.kernel_w, kind.window};
        } else if constexpr (requires { kind.window; }) {
          const Shape& weights = graph.tensors[op.inputs[1]].shape;
          return KernelWindow{weights[1], weights[2], kind.window};
        } else {
          return std::nullopt;
        }
      },
      op.kind);
}

Activation fused_activation(const OperatorKind& kind) {
  return std::visit(
      [](const auto& op) {
        if constexpr (requires { op.activation; }) {
          return op.activation;
        } else {
          return Activation::none;
        }
      },
      kind);
}

std::int64_t operator_macs(const Graph& graph, const Operator& op) {
  const auto elements = [&](std::int32_t tensor) { return element_count(graph.tensors[tensor].shape); };
  if (std::holds_alternative<TransposeConv>(op.kind)) {
    const Shape& w = graph.tensors[op.inputs[1]].shape;
    return elements(op.inputs[0]) * w[1] * w[2] * w[0];
  }
  if (std::holds_alternative<Conv2D>(op.kind) || std::holds_alternative<DepthwiseConv2D>(op.kind)) {
    const Shape& w = graph.tensors[op.inputs[1]].shape;
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(op.kind);
    return elements(op.outputs[0]) * w[1] * w[2] * (depthwise ? 1 : w[3]);
  }
  if (std::holds_alternative<FullyConnected>(op.kind)) {
    return elements(op.outputs[0]) * graph.tensors[op.inputs[1]].shape[1];
  }
  return 0;
}

std::int64_t graph_macs(const Graph& graph) {
  return std::accumulate(graph.operators.begin(), graph.operators.end(), std::int64_t{0},
                         [&](std::int64_t sum, const Operator& op) { return sum + operator_macs(graph, op); });
}

namespace {

/// Sum of elements over the distinct tensors at input `position` of the operators that have weights.
std::int64_t count_at(const Graph& graph, std::size_t position) {
  std::vector<bool> seen(graph.tensors.size(), false);
  std::int64_t sum = 0;
  for (const Operator& op : graph.operators) {
    if (!has_weights(op) || op.inputs.size() <= position || op.inputs[position] < 0) continue;
    const std::int32_t tensor = op.inputs[position];
    if (!seen[tensor]) sum += element_count(graph.tensors[tensor].shape);
    seen[tensor] = true;
  }
  return sum;
}

}  // namespace

std::int64_t weight_count(const Graph& graph) { return count_at(graph, 1); }

std::int64_t bias_count(const Graph& graph) { return count_at(graph, 2); }

std::int64_t constant_bytes(const Graph& graph) {
  std::vector<bool> seen(graph.tensors.size(), false);
  std::int64_t sum = 0;
  for (const Operator& op : graph.operators) {
    for (const std::int32_t tensor : op.inputs) {
      if (tensor < 0 || seen[tensor] || !graph.tensors[tensor].constant) continue;
      seen[tensor] = true;
      sum += byte_count(graph.tensors[tensor].shape, graph.tensors[tensor].dtype);
    }
  }
  return sum;
}

}  // namespace tinynas
