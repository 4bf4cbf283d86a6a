#include "graph/shape.h"

#include <algorithm>
#include <string>

#include "graph/error.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

struct ShapeContext {
  const Graph& graph;
  std::size_t index;
  const Operator& op;

  [[nodiscard]] const Shape& input(std::size_t position) const { return graph.tensors[op.inputs[position]].shape; }
  [[nodiscard]] const Shape& output() const { return graph.tensors[op.outputs[0]].shape; }
  [[nodiscard]] bool has_input(std::size_t position) const {
    return op.inputs.size() > position && op.inputs[position] >= 0;
  }
  [[nodiscard]] std::string place() const { return "[graph] " + operator_text(graph, index); }
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const {
    throw InputError(place() + ": expected " + expected + ", got " + got);
  }
  void check(bool ok, const std::string& expected, const Shape& got) const {
    if (!ok) fail(expected, shape_text(got));
  }
  void check_map(std::size_t position) const {
    const Shape& shape = input(position);
    check(shape.size() == 4 && shape[0] == 1, "a feature map [1, H, W, C] as input " + std::to_string(position), shape);
  }
  void check_bias(std::int32_t channels) const {
    if (!has_input(2)) return;
    check(input(2) == Shape{channels}, "a bias of shape [" + std::to_string(channels) + "]", input(2));
  }
};

/// Geometry along one dimension.
struct Extent {
  std::int64_t in, kernel, stride, dilation, before, after;
  [[nodiscard]] std::int64_t reach() const { return (kernel - 1) * dilation + 1; }
};

constexpr std::int64_t kMaxAttribute = 1 << 24;

void check_extent(const ShapeContext& c, const Extent& e, bool allow_negative_after) {
  if (e.stride < 1 || e.stride > kMaxAttribute) c.fail("a stride of at least 1", std::to_string(e.stride));
  if (e.dilation < 1 || e.dilation > kMaxAttribute) c.fail("a dilation of at least 1", std::to_string(e.dilation));
  if (e.kernel < 1 || e.kernel > kMaxAttribute) c.fail("a kernel size of at least 1", std::to_string(e.kernel));
  const std::int64_t least = allow_negative_after ? -kMaxAttribute : 0;
  if (e.before < 0 || e.before > kMaxAttribute || e.after < least || e.after > kMaxAttribute) {
    c.fail("padding of at least 0", std::to_string(e.before) + " and " + std::to_string(e.after));
  }
}

std::int32_t as_dimension(const ShapeContext& c, std::int64_t value) {
  if (value < 1)
    c.fail("an output of at least one row and column", std::to_string(value) + " (the window exceeds the input)");
  if (value > kMaxElements) c.fail("an output dimension below 2^31", std::to_string(value));
  return static_cast<std::int32_t>(value);
}

std::int32_t window_extent(const ShapeContext& c, const Extent& e) {
  check_extent(c, e, false);
  const std::int64_t room = e.in + e.before + e.after - e.reach();
  return as_dimension(c, room < 0 ? 0 : room / e.stride + 1);
}

std::array<Extent, 2> extents(const Shape& x, const KernelWindow& k) {
  const Window& w = k.window;
  return {{{x[1], k.kernel_h, w.stride_h, w.dilation_h, w.padding.top, w.padding.bottom},
           {x[2], k.kernel_w, w.stride_w, w.dilation_w, w.padding.left, w.padding.right}}};
}

Shape window_shape(const ShapeContext& c, std::int32_t channels) {
  const auto [rows, columns] = extents(c.input(0), *kernel_window(c.graph, c.op));
  return {1, window_extent(c, rows), window_extent(c, columns), channels};
}

Shape pool_shape(const ShapeContext& c) {
  c.check_map(0);
  for (const Extent& e : extents(c.input(0), *kernel_window(c.graph, c.op))) {
    check_extent(c, e, false);
    if (e.dilation != 1) c.fail("a pool without dilation", std::to_string(e.dilation));
    if (e.before >= e.kernel || e.after >= e.kernel) {
      c.fail("padding smaller than the pool's window", std::to_string(std::max(e.before, e.after)));
    }
  }
  return window_shape(c, c.input(0)[3]);
}

Shape broadcast_shape(const ShapeContext& c) {
  const Shape &a = c.input(0), &b = c.input(1);
  Shape out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {  // from the last dimension
    const std::int32_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int32_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) c.fail("shapes that broadcast", shape_text(a) + " and " + shape_text(b));
    out[out.size() - 1 - i] = std::max(da, db);
  }
  return out;
}

Shape reduced_shape(const ShapeContext& c, const std::vector<std::int32_t>& axes, bool keep_dims) {
  const Shape& x = c.input(0);
  std::vector<bool> reduced(x.size(), false);
  for (const std::int32_t axis : axes) reduced[resolve_axis(axis, x.size(), c.place())] = true;
  Shape out;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!reduced[d]) out.push_back(x[d]);
    if (reduced[d] && keep_dims) out.push_back(1);
  }
  return out;
}

Shape resized_shape(const ShapeContext& c) {
  c.check_map(0);
  const Shape& wanted = c.output();
  c.check(wanted.size() == 4 && wanted[1] > 0 && wanted[2] > 0, "an output tensor that holds the size [1, H, W, C]", wanted);
  constexpr std::int32_t kMaxSide = 1 << 20;  // bilinear positions are counted in 1/1024 of a pixel in int32
  c.check(std::max({wanted[1], wanted[2], c.input(0)[1], c.input(0)[2]}) <= kMaxSide, "sides of at most 2^20", wanted);
  return {1, wanted[1], wanted[2], c.input(0)[3]};
}

struct ShapeVisitor {
  const ShapeContext& c;

  Shape operator()(const Conv2D&) const {
    c.check_map(0);
    const Shape &x = c.input(0), &w = c.input(1);
    c.check(w.size() == 4, "weights [Co, kh, kw, Ci / groups]", w);
    c.check(x[3] % w[3] == 0, "weights whose last dimension divides the input channels " + std::to_string(x[3]), w);
    c.check(w[0] % (x[3] / w[3]) == 0, "output channels that " + std::to_string(x[3] / w[3]) + " groups divide", w);
    c.check_bias(w[0]);
    return window_shape(c, w[0]);
  }
  Shape operator()(const DepthwiseConv2D&) const {
    c.check_map(0);
    const Shape &x = c.input(0), &w = c.input(1);
    c.check(w.size() == 4 && w[0] == 1, "weights [1, kh, kw, C * multiplier]", w);
    c.check(w[3] % x[3] == 0, "weights whose last dimension is a multiple of the input channels " + std::to_string(x[3]), w);
    c.check_bias(w[3]);
    return window_shape(c, w[3]);
  }
  Shape operator()(const TransposeConv&) const {
    c.check_map(0);
    const Shape &x = c.input(0), &w = c.input(1);
    c.check(w.size() == 4 && w[3] == x[3], "weights [Co, kh, kw, " + std::to_string(x[3]) + "]", w);
    c.check_bias(w[0]);
    Shape out = {1, 0, 0, w[0]};
    const auto both = extents(x, *kernel_window(c.graph, c.op));
    for (std::size_t d = 0; d < 2; ++d) {
      const Extent& e = both[d];
      check_extent(c, e, true);
      out[d + 1] = as_dimension(c, (e.in - 1) * e.stride + e.reach() - e.before - e.after);
    }
    return out;
  }
  Shape operator()(const FullyConnected&) const {
    const Shape &x = c.input(0), &w = c.input(1);
    c.check(w.size() == 2, "weights [Co, Ci]", w);
    const std::int64_t count = element_count(x);
    c.check(count % w[1] == 0, "an input whose size is a multiple of " + std::to_string(w[1]), x);
    c.check_bias(w[0]);
    const Shape& wanted = c.output();
    const bool known = !wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [](std::int32_t d) { return d > 0; });
    if (known && wanted.back() == w[0] && element_count(wanted) == count / w[1] * w[0]) return wanted;
    if (x.empty() || x.back() != w[1]) return {static_cast<std::int32_t>(count / w[1]), w[0]};
    Shape out = x;
    out.back() = w[0];
    return out;
  }
  Shape operator()(const Add&) const { return broadcast_shape(c); }
  Shape operator()(const Mul&) const { return broadcast_shape(c); }
  Shape operator()(const AveragePool&) const { return pool_shape(c); }
  Shape operator()(const MaxPool&) const { return pool_shape(c); }
  Shape operator()(const Mean& op) const { return reduced_shape(c, op.axes, op.keep_dims); }
  Shape operator()(const ReduceMax& op) const { return reduced_shape(c, op.axes, op.keep_dims); }
  Shape operator()(const Pad& op) const {
    Shape out = c.input(0);
    c.check(op.amounts.size() == out.size(), "as many pairs of amounts as dimensions, " + std::to_string(op.amounts.size()),
            out);
    for (std::size_t d = 0; d < out.size(); ++d) {
      const auto [before, after] = op.amounts[d];
      if (before < 0 || after < 0) c.fail("amounts of at least 0", std::to_string(std::min(before, after)));
      out[d] = as_dimension(c, std::int64_t{out[d]} + before + after);
    }
    return out;
  }
  Shape operator()(const Reshape&) const {
    Shape out = c.output();
    const std::int64_t count = element_count(c.input(0));
    c.check(out.size() <= kMaxRank, "at most 8 dimensions", out);
    c.check(std::count(out.begin(), out.end(), -1) <= 1, "at most one dimension of -1", out);
    const auto open = std::find(out.begin(), out.end(), -1);
    if (open != out.end()) *open = 1;
    const std::int64_t rest = element_count(out);
    if (open != out.end() && count % rest == 0) *open = static_cast<std::int32_t>(count / rest);
    c.check(element_count(out) == count, "a shape of " + std::to_string(count) + " elements", c.output());
    return out;
  }
  Shape operator()(const Transpose& op) const {
    const Shape& x = c.input(0);
    std::vector<bool> seen(x.size(), false);
    Shape out;
    for (const std::int32_t axis : op.permutation) {
      const bool ok = axis >= 0 && static_cast<std::size_t>(axis) < x.size() && !seen[axis];
      c.check(ok, "a permutation of the input's axes", op.permutation);
      seen[axis] = true;
      out.push_back(x[axis]);
    }
    c.check(out.size() == x.size(), "a permutation of the input's axes", op.permutation);
    return out;
  }
  Shape operator()(const Concat& op) const {
    Shape out = c.input(0);
    const std::int32_t axis = resolve_axis(op.axis, out.size(), c.place());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < c.op.inputs.size(); ++i) {
      Shape other = c.input(i);
      c.check(other.size() == out.size(), "inputs of rank " + std::to_string(out.size()), other);
      sum += other[axis];
      other[axis] = out[axis];
      c.check(other == out, "inputs equal to " + shape_text(out) + " save on axis " + std::to_string(axis), c.input(i));
    }
    out[axis] = as_dimension(c, sum);
    return out;
  }
  Shape operator()(const ResizeNearest&) const { return resized_shape(c); }
  Shape operator()(const ResizeBilinear&) const { return resized_shape(c); }
  Shape operator()(const Softmax&) const {
    c.check(!c.input(0).empty(), "an input of at least one dimension", c.input(0));
    return c.input(0);
  }
  Shape operator()(const PRelu&) const {
    c.check(broadcast_shape(c) == c.input(0), "an alpha that broadcasts to the input " + shape_text(c.input(0)), c.input(1));
    return c.input(0);
  }
  Shape operator()(const ArgMax& op) const { return reduced_shape(c, {op.axis}, false); }
  Shape operator()(const auto&) const { return c.input(0); }  // element by element
};

}  // namespace

std::int64_t element_count(const Shape& shape) {
  if (shape.size() > kMaxRank) {
    throw InputError("[graph] expected at most 8 dimensions, got " + std::to_string(shape.size()));
  }
  std::int64_t count = 1;
  for (const std::int32_t d : shape) {
    if (d < 1) throw InputError("[graph] expected dimensions of at least 1, got " + shape_text(shape));
    count *= d;
    if (count > kMaxElements) throw InputError("[graph] expected fewer than 2^31 elements, got " + shape_text(shape));
  }
  return count;
}

std::int64_t byte_count(const Shape& shape, DType dtype) { return (element_count(shape) * dtype_bits(dtype) + 7) / 8; }

std::int32_t resolve_axis(std::int32_t axis, std::size_t rank, const std::string& place) {
  const auto n = static_cast<std::int32_t>(rank);
  if (axis < -n || axis >= n) {
    throw InputError(place + ": expected an axis of a tensor of rank " + std::to_string(n) + ", got " +
                     std::to_string(axis));
  }
  return axis < 0 ? axis + n : axis;
}

void check_operands(const Graph& graph, std::size_t op_index) {
  const Operator& op = graph.operators.at(op_index);
  const auto fail = [&](const std::string& expected, const std::string& got) {
    throw InputError("[graph] " + operator_text(graph, op_index) + ": expected " + expected + ", got " + got);
  };
  const OperatorInfo& info = operator_info(op.kind);
  const auto inputs = static_cast<std::int64_t>(op.inputs.size());
  if (inputs < info.min_inputs || inputs > info.max_inputs) {
    fail(std::to_string(info.min_inputs) + " to " + std::to_string(info.max_inputs) + " inputs", std::to_string(inputs));
  }
  if (op.outputs.size() != 1) fail("1 output", std::to_string(op.outputs.size()));
  const auto tensors = static_cast<std::int32_t>(graph.tensors.size());
  const auto range = "a tensor index below " + std::to_string(tensors);
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const bool optional = i == 2 && info.max_inputs == 3;
    const std::int32_t least = optional ? -1 : 0;
    if (op.inputs[i] < least || op.inputs[i] >= tensors) fail(range, std::to_string(op.inputs[i]));
  }
  const std::int32_t out = op.outputs[0];
  if (out < 0 || out >= tensors) fail(range, std::to_string(out));
  if (graph.tensors[out].constant) fail("an output that is no constant", "constant '" + graph.tensors[out].name + "'");
}

Shape infer_output_shape(const Graph& graph, std::size_t op_index) {
  check_operands(graph, op_index);
  const ShapeContext context{graph, op_index, graph.operators[op_index]};
  for (std::size_t i = 0; i < context.op.inputs.size(); ++i) {
    if (context.has_input(i)) static_cast<void>(element_count(context.input(i)));
  }
  Shape shape = std::visit(ShapeVisitor{context}, context.op.kind);
  static_cast<void>(element_count(shape));
  return shape;
}

void infer_shapes(Graph& graph) {
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    Shape shape = infer_output_shape(graph, i);
    graph.tensors[graph.operators[i].outputs[0]].shape = std::move(shape);
  }
}

}  // namespace tinynas
