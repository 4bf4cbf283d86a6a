// Row arithmetic: which input rows an output row reads.
#include <algorithm>

#include "graph/operators.h"
#include "graph/resize.h"

namespace tinynas {
namespace {

struct RowQuery {
  const Graph& graph;
  const Operator& op;
  std::size_t position;
  std::int32_t y;
  std::int32_t rows;      // of the input
  std::int32_t out_rows;  // of the output

  [[nodiscard]] const Shape& input_shape() const { return graph.tensors[op.inputs[position]].shape; }
  [[nodiscard]] const Shape& output_shape() const { return graph.tensors[op.outputs[0]].shape; }
};

RowRange clipped(std::int64_t first, std::int64_t end, std::int32_t rows) {
  const auto e = static_cast<std::int32_t>(std::clamp<std::int64_t>(end, 0, rows));
  return {static_cast<std::int32_t>(std::clamp<std::int64_t>(first, 0, e)), e};
}

RowRange whole(const RowQuery& q) { return {0, q.rows}; }

/// Row y where both maps have as many rows, the only row where the input is broadcast over them.
RowRange same_row(const RowQuery& q) {
  if (q.rows == q.out_rows && q.input_shape().size() == q.output_shape().size()) return clipped(q.y, q.y + 1, q.rows);
  return whole(q);
}

RowRange window_rows(const RowQuery& q, const KernelWindow& k) {
  const std::int64_t start = std::int64_t{q.y} * k.window.stride_h - k.window.padding.top;
  return clipped(start, start + std::int64_t{k.kernel_h - 1} * k.window.dilation_h + 1, q.rows);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0); }

/// Input row i reaches the output rows i·stride − top + k·dilation.
RowRange transposed_rows(const RowQuery& q, const KernelWindow& k) {
  const std::int64_t last = std::int64_t{q.y} + k.window.padding.top;
  const std::int64_t first = last - std::int64_t{k.kernel_h - 1} * k.window.dilation_h;
  return clipped(floor_div(first + k.window.stride_h - 1, k.window.stride_h), floor_div(last, k.window.stride_h) + 1,
                 q.rows);
}

RowRange reduced_rows(const RowQuery& q, const std::vector<std::int32_t>& axes, bool keep_dims) {
  const auto rank = static_cast<std::int32_t>(q.input_shape().size());
  const bool over_rows =
      std::any_of(axes.begin(), axes.end(), [&](std::int32_t axis) { return (axis < 0 ? axis + rank : axis) == 1; });
  return over_rows || !keep_dims ? whole(q) : same_row(q);
}

RowRange concat_rows(const RowQuery& q, std::int32_t axis) {
  const auto rank = static_cast<std::int32_t>(q.output_shape().size());
  if (rank != 4 || (axis < 0 ? axis + rank : axis) != 1) return same_row(q);
  std::int64_t before = 0;
  for (std::size_t i = 0; i < q.position; ++i) before += row_count(q.graph.tensors[q.op.inputs[i]].shape);
  return clipped(q.y - before, q.y - before + 1, q.rows);
}

RowRange bilinear_rows(const RowQuery& q, const ResizeBilinear& op) {
  const bool integer = q.graph.tensors[q.op.inputs[0]].dtype != DType::f32;
  const auto source = integer ? bilinear_source_integer : bilinear_source;
  const Neighbours n = source(q.y, q.rows, q.out_rows, op.align_corners, op.half_pixel_centers);
  return clipped(n.lower, std::max(n.lower, n.upper) + 1, q.rows);
}

struct RowVisitor {
  const RowQuery& q;

  RowRange operator()(const TransposeConv&) const { return transposed_rows(q, *kernel_window(q.graph, q.op)); }
  RowRange operator()(const Mean& op) const { return reduced_rows(q, op.axes, op.keep_dims); }
  RowRange operator()(const ReduceMax& op) const { return reduced_rows(q, op.axes, op.keep_dims); }
  RowRange operator()(const Pad& op) const {
    if (q.output_shape().size() != 4) return whole(q);
    const std::int64_t row = std::int64_t{q.y} - op.amounts[1][0];
    return clipped(row, row + 1, q.rows);
  }
  RowRange operator()(const Reshape&) const { return whole(q); }
  RowRange operator()(const Transpose&) const { return whole(q); }
  RowRange operator()(const ArgMax&) const { return whole(q); }
  RowRange operator()(const Concat& op) const { return concat_rows(q, op.axis); }
  RowRange operator()(const ResizeNearest& op) const {
    const std::int32_t row = nearest_source(q.y, q.rows, q.out_rows, op.align_corners, op.half_pixel_centers);
    return clipped(row, row + 1, q.rows);
  }
  RowRange operator()(const ResizeBilinear& op) const { return bilinear_rows(q, op); }
  RowRange operator()(const auto&) const {
    const auto window = kernel_window(q.graph, q.op);
    return window ? window_rows(q, *window) : same_row(q);
  }
};

}  // namespace

std::int32_t row_count(const Shape& shape) { return shape.size() == 4 ? shape[1] : 1; }

RowRange input_rows(const Graph& graph, const Operator& op, std::size_t position, std::int32_t y) {
  const RowQuery query{graph,
                       op,
                       position,
                       y,
                       row_count(graph.tensors[op.inputs[position]].shape),
                       row_count(graph.tensors[op.outputs[0]].shape)};
  if (position > 0 && kernel_window(graph, op)) return whole(query);  // weights and bias
  if (position > 0 && std::holds_alternative<FullyConnected>(op.kind)) return whole(query);
  return std::visit(RowVisitor{query}, op.kind);
}

}  // namespace tinynas
