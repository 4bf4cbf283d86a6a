// What an operator is called, what it costs, and which input rows an output row needs: the questions that every reader of a
// graph asks. The row arithmetic here is the only one; oracle, planner and code generator call it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace tinynas {

/// Name and number of inputs, in the order of OperatorKind.
struct OperatorInfo {
  std::string_view name;
  std::int32_t min_inputs, max_inputs;
};

inline constexpr std::int32_t kManyInputs = 1 << 16;
inline constexpr std::array<OperatorInfo, 25> kOperatorInfo = {{
    {"conv2d", 2, 3},
    {"depthwise_conv2d", 2, 3},
    {"transpose_conv", 2, 3},
    {"fully_connected", 2, 3},
    {"add", 2, 2},
    {"mul", 2, 2},
    {"average_pool", 1, 1},
    {"max_pool", 1, 1},
    {"mean", 1, 1},
    {"reduce_max", 1, 1},
    {"pad", 1, 1},
    {"reshape", 1, 1},
    {"transpose", 1, 1},
    {"concat", 1, kManyInputs},
    {"resize_nearest", 1, 1},
    {"resize_bilinear", 1, 1},
    {"softmax", 1, 1},
    {"logistic", 1, 1},
    {"tanh", 1, 1},
    {"hard_swish", 1, 1},
    {"leaky_relu", 1, 1},
    {"prelu", 2, 2},
    {"argmax", 1, 1},
    {"quantize", 1, 1},
    {"dequantize", 1, 1},
}};
static_assert(kOperatorInfo.size() == std::variant_size_v<OperatorKind>, "an operator without a name");

[[nodiscard]] const OperatorInfo& operator_info(const OperatorKind& kind);
[[nodiscard]] std::string_view operator_name(const OperatorKind& kind);
/// The operator of that name with default attributes; none for an unknown name.
[[nodiscard]] std::optional<OperatorKind> make_operator(std::string_view name);

[[nodiscard]] std::string_view dtype_name(DType dtype);
[[nodiscard]] std::optional<DType> parse_dtype(std::string_view name);
/// 4 for s4, 8 for s8 and u8, ...
[[nodiscard]] std::int32_t dtype_bits(DType dtype);
/// Smallest and greatest value of an integer type, of s4 to s32.
[[nodiscard]] std::int32_t dtype_min(DType dtype);
[[nodiscard]] std::int32_t dtype_max(DType dtype);

[[nodiscard]] std::string_view activation_name(Activation activation);
[[nodiscard]] std::optional<Activation> parse_activation(std::string_view name);

/// "[1, 8, 8, 3]"
[[nodiscard]] std::string shape_text(const Shape& shape);
/// "operator 3 (conv2d 'stem')": the place that a message names.
[[nodiscard]] std::string operator_text(const Graph& graph, std::size_t index);

/// The window of an operator that slides one (convolutions, pools), with its kernel size; none for all others.
struct KernelWindow {
  std::int32_t kernel_h = 1, kernel_w = 1;
  Window window;
};
[[nodiscard]] std::optional<KernelWindow> kernel_window(const Graph& graph, const Operator& op);
[[nodiscard]] Activation fused_activation(const OperatorKind& kind);

/// Rows of a tensor: shape[1] of a feature map [1,H,W,C], 1 for anything else (one row then holds all of it).
[[nodiscard]] std::int32_t row_count(const Shape& shape);
/// Columns of a feature map, 1 for anything else (its only pixel then holds all of a row).
[[nodiscard]] std::int32_t column_count(const Shape& shape);

/// Rows [first, end) of a map. An empty range has first == end.
struct RowRange {
  std::int32_t first = 0, end = 0;
};
/// The rows of input number `position` that row `y` of the output reads, cut to the map. `end` never decreases with y, so an
/// output row is computable as soon as `end` rows of every input have been produced, and rows before `first` of row y + 1
/// are free after y.
[[nodiscard]] RowRange input_rows(const Graph& graph, const Operator& op, std::size_t position, std::int32_t y);
/// The same for columns: what pixel (y, x) of the output reads are the pixels at input_rows(y) x input_columns(x).
[[nodiscard]] RowRange input_columns(const Graph& graph, const Operator& op, std::size_t position, std::int32_t x);

/// Multiplications of weights with values, padding included as if it were computed: convolutions and fully connected; others
/// 0.
[[nodiscard]] std::int64_t operator_macs(const Graph& graph, const Operator& op);
[[nodiscard]] std::int64_t graph_macs(const Graph& graph);
/// Elements of the weights of convolutions and fully connected operators; biases are counted by bias_count.
[[nodiscard]] std::int64_t weight_count(const Graph& graph);
[[nodiscard]] std::int64_t bias_count(const Graph& graph);
/// Bytes of all constants that some operator reads, each once.
[[nodiscard]] std::int64_t constant_bytes(const Graph& graph);

/// Visits the attributes of an operator as f("stride_h", value&): the one list behind both directions of the JSON form.
template <class W, class F>
void visit_window(W& window, F&& f) {
  f("stride_h", window.stride_h);
  f("stride_w", window.stride_w);
  f("dilation_h", window.dilation_h);
  f("dilation_w", window.dilation_w);
  f("pad_top", window.padding.top);
  f("pad_left", window.padding.left);
  f("pad_bottom", window.padding.bottom);
  f("pad_right", window.padding.right);
}

template <class Op, class F>
void visit_attributes(Op& op, F&& f) {
  if constexpr (requires { op.kernel_h; }) {
    f("kernel_h", op.kernel_h);
    f("kernel_w", op.kernel_w);
  }
  if constexpr (requires { op.window; }) visit_window(op.window, f);
  if constexpr (requires { op.activation; }) f("activation", op.activation);
  if constexpr (requires { op.axes; }) f("axes", op.axes);
  if constexpr (requires { op.keep_dims; }) f("keep_dims", op.keep_dims);
  if constexpr (requires { op.amounts; }) f("amounts", op.amounts);
  if constexpr (requires { op.permutation; }) f("permutation", op.permutation);
  if constexpr (requires { op.axis; }) f("axis", op.axis);
  if constexpr (requires { op.align_corners; }) {
    f("align_corners", op.align_corners);
    f("half_pixel_centers", op.half_pixel_centers);
  }
  if constexpr (requires { op.beta; }) f("beta", op.beta);
  if constexpr (requires { op.alpha; }) f("alpha", op.alpha);
}

}  // namespace tinynas
