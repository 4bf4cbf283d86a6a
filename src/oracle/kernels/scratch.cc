#include "oracle/kernels/scratch.h"

#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include "graph/error.h"
#include "graph/operators.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

constexpr std::array<std::pair<std::string_view, tn_set>, 14> kCores{{{"", TN_SET_PORTABLE},
                                                                      {"host", TN_SET_PORTABLE},
                                                                      {"cortex-m0", TN_SET_PORTABLE},
                                                                      {"cortex-m0plus", TN_SET_PORTABLE},
                                                                      {"cortex-m1", TN_SET_PORTABLE},
                                                                      {"cortex-m3", TN_SET_THUMB2},
                                                                      {"cortex-m23", TN_SET_PORTABLE},
                                                                      {"cortex-m4", TN_SET_DSP},
                                                                      {"cortex-m7", TN_SET_DSP},
                                                                      {"cortex-m33", TN_SET_DSP},
                                                                      {"cortex-m35p", TN_SET_DSP},
                                                                      {"cortex-m52", TN_SET_HELIUM},
                                                                      {"cortex-m55", TN_SET_HELIUM},
                                                                      {"cortex-m85", TN_SET_HELIUM}}};

const Tensor& tensor_at(const Graph& graph, std::int32_t index) { return graph.tensors[static_cast<std::size_t>(index)]; }

void set_map(const Shape& shape, std::int32_t& h, std::int32_t& w, std::int32_t& c) {
  const bool map = shape.size() == 4;
  h = map ? shape[1] : 1;
  w = map ? shape[2] : 1;
  c = shape.empty() ? 1 : shape.back();
}

void set_window(tn_shape& shape, const Window& window, std::int32_t kernel_h, std::int32_t kernel_w) {
  shape.kernel_h = kernel_h;
  shape.kernel_w = kernel_w;
  shape.stride_h = window.stride_h;
  shape.stride_w = window.stride_w;
  shape.dilation_h = window.dilation_h;
  shape.pad_top = window.padding.top;
  shape.pad_left = window.padding.left;
  shape.pad_bottom = window.padding.bottom;
  shape.pad_right = window.padding.right;
}

bool unpadded(const Window& window) {
  const auto& p = window.padding;
  return window.stride_h == 1 && window.stride_w == 1 && p.top == 0 && p.left == 0 && p.bottom == 0 && p.right == 0;
}

tn_kind convolution_kind(const Graph& graph, const Operator& op, const Conv2D& conv) {
  const Shape& weights = tensor_at(graph, op.inputs[1]).shape;
  const bool one = weights[1] == 1 && weights[2] == 1 && weights[3] == tensor_at(graph, op.inputs[0]).shape.back();
  return one && unpadded(conv.window) ? TN_KIND_POINTWISE : TN_KIND_CONV2D;
}

}  // namespace

tn_set kernel_set(const std::string& core) {
  std::string known;
  for (const auto& [name, set] : kCores) {
    if (core == name) return set;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw InputError("[oracle] core '" + core + "': expected one of " + known);
}

tn_kind kernel_kind(const Graph& graph, const Operator& op) {
  if (row_mode(graph, op) == RowMode::accumulate) return TN_KIND_ACCUMULATE;
  return std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, Conv2D>) {
          return convolution_kind(graph, op, kind);
        } else if constexpr (std::is_same_v<Kind, DepthwiseConv2D>) {
          return TN_KIND_DEPTHWISE;
        } else if constexpr (std::is_same_v<Kind, FullyConnected>) {
          return TN_KIND_FULLY_CONNECTED;
        } else if constexpr (std::is_same_v<Kind, TransposeConv>) {
          return TN_KIND_TRANSPOSE_CONV;
        } else if constexpr (std::is_same_v<Kind, Softmax>) {
          return TN_KIND_ACCUMULATE;
        } else {
          return TN_KIND_OTHER;
        }
      },
      op.kind);
}

tn_shape kernel_shape(const Graph& graph, const Operator& op, std::int32_t rows_at_once) {
  tn_shape shape{};
  set_map(tensor_at(graph, op.inputs[0]).shape, shape.input_h, shape.input_w, shape.input_c);
  set_map(tensor_at(graph, op.outputs[0]).shape, shape.output_h, shape.output_w, shape.output_c);
  shape.kernel_h = shape.kernel_w = shape.stride_h = shape.stride_w = shape.dilation_h = shape.groups = 1;
  shape.rows_at_once = rows_at_once;
  const auto bits = [&](std::int32_t tensor) { return dtype_bits(tensor_at(graph, tensor).dtype); };
  shape.input_bits = bits(op.inputs[0]);
  shape.weight_bits = op.inputs.size() > 1 && op.inputs[1] >= 0 ? bits(op.inputs[1]) : shape.input_bits;
  shape.output_bits = bits(op.outputs[0]);
  std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, Conv2D> || std::is_same_v<Kind, DepthwiseConv2D> ||
                      std::is_same_v<Kind, TransposeConv>) {
          const Shape& weights = tensor_at(graph, op.inputs[1]).shape;
          set_window(shape, kind.window, weights[1], weights[2]);
          if constexpr (std::is_same_v<Kind, Conv2D>) shape.groups = shape.input_c / weights[3];
        } else if constexpr (std::is_same_v<Kind, AveragePool> || std::is_same_v<Kind, MaxPool>) {
          set_window(shape, kind.window, kind.kernel_h, kind.kernel_w);
        } else if constexpr (std::is_same_v<Kind, FullyConnected>) {
          shape.input_c = tensor_at(graph, op.inputs[1]).shape[1];
        }
      },
      op.kind);
  return shape;
}

bool works_in_place(const Operator& op, const Buffer* output) {
  return std::holds_alternative<DepthwiseConv2D>(op.kind) && output != nullptr && output->shares_with >= 0;
}

bool helium_serves_maps(const Graph& graph, const Operator& op) {
  const DType in = tensor_at(graph, op.inputs[0]).dtype, out = tensor_at(graph, op.outputs[0]).dtype;
  if (in == DType::s8 && out == DType::s8) return true;
  const auto small = [](DType dtype) { return dtype == DType::s8 || dtype == DType::s4; };
  const auto shape = kernel_shape(graph, op);
  return small(in) && small(out) && tn_helium_widens(kernel_kind(graph, op), &shape) != 0;
}

std::int64_t pixel_kernel_scratch(const Graph& graph, const Operator& op) {
  const auto shape = kernel_shape(graph, op);
  auto kind = kernel_kind(graph, op);
  if (kind == TN_KIND_CONV2D) kind = TN_KIND_CONV2D_PIXEL;
  return tn_scratch_portable(kind, &shape);
}

std::int64_t kernel_scratch(const Graph& graph, const Operator& op, tn_set set, std::int32_t rows_at_once) {
  const auto shape = kernel_shape(graph, op, rows_at_once);
  return tn_scratch_bytes(set, kernel_kind(graph, op), &shape);
}

}  // namespace tinynas
