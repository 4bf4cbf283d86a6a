// Row and column arithmetic: which rows and columns of an input a row or column of the output reads.
#include <algorithm>

#include "graph/operators.h"
#include "graph/resize.h"

namespace tinynas {
namespace {

constexpr std::size_t kRows = 1, kColumns = 2;  // axes of a feature map

std::int32_t extent_along(const Shape& shape, std::size_t axis) { return shape.size() == 4 ? shape[axis] : 1; }

struct Query {
  const Graph& graph;
  const Operator& op;
  std::size_t position;
  std::size_t axis;
  std::int32_t at;    // row or column of the output
  std::int32_t size;  // rows or columns of the input
  std::int32_t out_size;

  [[nodiscard]] const Shape& input_shape() const { return graph.tensors[op.inputs[position]].shape; }
  [[nodiscard]] const Shape& output_shape() const { return graph.tensors[op.outputs[0]].shape; }
};

RowRange clipped(std::int64_t first, std::int64_t end, std::int32_t size) {
  const auto e = static_cast<std::int32_t>(std::clamp<std::int64_t>(end, 0, size));
  return {static_cast<std::int32_t>(std::clamp<std::int64_t>(first, 0, e)), e};
}

RowRange whole(const Query& q) { return {0, q.size}; }

/// The same row where both maps have as many, the only row where the input is broadcast over them.
RowRange same(const Query& q) {
  if (q.size == q.out_size && q.input_shape().size() == q.output_shape().size()) return clipped(q.at, q.at + 1, q.size);
  return whole(q);
}

/// A window along one axis.
struct Span {
  std::int64_t kernel, stride, dilation, before;
};

Span span_along(const KernelWindow& k, std::size_t axis) {
  const Window& w = k.window;
  return axis == kRows ? Span{k.kernel_h, w.stride_h, w.dilation_h, w.padding.top}
                       : Span{k.kernel_w, w.stride_w, w.dilation_w, w.padding.left};
}

RowRange window_range(const Query& q, const Span& w) {
  const std::int64_t start = q.at * w.stride - w.before;
  return clipped(start, start + (w.kernel - 1) * w.dilation + 1, q.size);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0); }

/// Input row i reaches the output rows i·stride − top + k·dilation.
RowRange transposed_range(const Query& q, const Span& w) {
  const std::int64_t last = q.at + w.before;
  const std::int64_t first = last - (w.kernel - 1) * w.dilation;
  return clipped(floor_div(first + w.stride - 1, w.stride), floor_div(last, w.stride) + 1, q.size);
}

RowRange reduced_range(const Query& q, const std::vector<std::int32_t>& axes, bool keep_dims) {
  const auto rank = static_cast<std::int32_t>(q.input_shape().size());
  const auto here = static_cast<std::int32_t>(q.axis);
  const bool over =
      std::any_of(axes.begin(), axes.end(), [&](std::int32_t axis) { return (axis < 0 ? axis + rank : axis) == here; });
  return over || !keep_dims ? whole(q) : same(q);
}

RowRange concat_range(const Query& q, std::int32_t axis) {
  const auto rank = static_cast<std::int32_t>(q.output_shape().size());
  if (rank != 4 || (axis < 0 ? axis + rank : axis) != static_cast<std::int32_t>(q.axis)) return same(q);
  std::int64_t before = 0;
  for (std::size_t i = 0; i < q.position; ++i) before += extent_along(q.graph.tensors[q.op.inputs[i]].shape, q.axis);
  return clipped(q.at - before, q.at - before + 1, q.size);
}

RowRange bilinear_range(const Query& q, const ResizeBilinear& op) {
  const bool integer = q.graph.tensors[q.op.inputs[0]].dtype != DType::f32;
  const auto source = integer ? bilinear_source_integer : bilinear_source;
  const Neighbours n = source(q.at, q.size, q.out_size, op.align_corners, op.half_pixel_centers);
  return clipped(n.lower, std::max(n.lower, n.upper) + 1, q.size);
}

struct Visitor {
  const Query& q;

  RowRange operator()(const TransposeConv&) const {
    return transposed_range(q, span_along(*kernel_window(q.graph, q.op), q.axis));
  }
  RowRange operator()(const Mean& op) const { return reduced_range(q, op.axes, op.keep_dims); }
  RowRange operator()(const ReduceMax& op) const { return reduced_range(q, op.axes, op.keep_dims); }
  RowRange operator()(const Pad& op) const {
    if (q.output_shape().size() != 4) return whole(q);
    const std::int64_t from = std::int64_t{q.at} - op.amounts[q.axis][0];
    return clipped(from, from + 1, q.size);
  }
  RowRange operator()(const Reshape&) const { return whole(q); }
  RowRange operator()(const Transpose&) const { return whole(q); }
  RowRange operator()(const ArgMax&) const { return whole(q); }
  RowRange operator()(const Concat& op) const { return concat_range(q, op.axis); }
  RowRange operator()(const ResizeNearest& op) const {
    const std::int32_t from = nearest_source(q.at, q.size, q.out_size, op.align_corners, op.half_pixel_centers);
    return clipped(from, from + 1, q.size);
  }
  RowRange operator()(const ResizeBilinear& op) const { return bilinear_range(q, op); }
  RowRange operator()(const auto&) const {
    const auto window = kernel_window(q.graph, q.op);
    return window ? window_range(q, span_along(*window, q.axis)) : same(q);
  }
};

RowRange input_range(const Graph& graph, const Operator& op, std::size_t position, std::size_t axis, std::int32_t at) {
  const auto& input = graph.tensors[op.inputs[position]].shape;
  const Query query{
      graph, op, position, axis, at, extent_along(input, axis), extent_along(graph.tensors[op.outputs[0]].shape, axis)};
  if (position > 0 && kernel_window(graph, op)) return whole(query);  // weights and bias
  if (position > 0 && std::holds_alternative<FullyConnected>(op.kind)) return whole(query);
  return std::visit(Visitor{query}, op.kind);
}

}  // namespace

std::int32_t row_count(const Shape& shape) { return extent_along(shape, kRows); }
std::int32_t column_count(const Shape& shape) { return extent_along(shape, kColumns); }

RowRange input_rows(const Graph& graph, const Operator& op, std::size_t position, std::int32_t y) {
  return input_range(graph, op, position, kRows, y);
}

RowRange input_columns(const Graph& graph, const Operator& op, std::size_t position, std::int32_t x) {
  return input_range(graph, op, position, kColumns, x);
}

}  // namespace tinynas
