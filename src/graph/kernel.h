// What the interpreter's kernels share. A kernel is made once per operator, with its multipliers and weights prepared, and
// then called with pointers to values: f32 as float, s4 and s8 as int8_t (one value a byte), u8, s16, s32, s64 as
// themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "graph/error.h"
#include "graph/fixed_point.h"
#include "graph/graph.h"
#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas::kernels {

struct Arguments {
  const std::vector<const void*>& inputs;  // null for an absent optional input
  void* output;

  template <class T>
  [[nodiscard]] const T* input(std::size_t i) const {
    return static_cast<const T*>(inputs[i]);
  }
  template <class T>
  [[nodiscard]] T* out() const {
    return static_cast<T*>(output);
  }
};
using Kernel = std::function<void(const Arguments&)>;

/// An operator being prepared: shapes, types and scales of what it reads and writes.
struct Context {
  const Graph& graph;
  std::size_t index;
  const Operator& op;
  const std::vector<const void*>& constants;  // values by tensor index, null for activations

  [[nodiscard]] const Tensor& input(std::size_t i) const { return graph.tensors[op.inputs[i]]; }
  [[nodiscard]] const Tensor& output() const { return graph.tensors[op.outputs[0]]; }
  [[nodiscard]] bool has_input(std::size_t i) const { return op.inputs.size() > i && op.inputs[i] >= 0; }
  [[nodiscard]] bool is_float() const { return output().dtype == DType::f32; }
  [[nodiscard]] std::string place() const { return "[interpreter] " + operator_text(graph, index); }
  /// Scale and zero point of a tensor quantised as a whole; InputError when it has none.
  [[nodiscard]] float scale(const Tensor& tensor) const;
  [[nodiscard]] std::int32_t zero_point(const Tensor& tensor) const;
  /// The values of constant input i, null when it is computed or absent.
  template <class T>
  [[nodiscard]] const T* constant(std::size_t i) const {
    return has_input(i) ? static_cast<const T*>(constants[op.inputs[i]]) : nullptr;
  }
};

/// Range of the output's type cut to the fused activation.
[[nodiscard]] ClampRange output_range(const Context& c);
/// The same in float: [0, inf), [0, 6], or everything.
struct FloatRange {
  float low, high;
};
[[nodiscard]] FloatRange float_range(Activation activation);

/// Multiplier of every output channel of an operator with weights. TensorFlow Lite multiplies the two scales in double, save
/// for a fully connected operator with one scale for all its weights, where the product is rounded to float first.
[[nodiscard]] std::vector<QuantizedMultiplier> channel_multipliers(const Context& c, std::int32_t channels);

/// Requantisation to the output: multiplier, zero point, clamp.
inline std::int32_t requantize(std::int32_t acc, QuantizedMultiplier m, std::int32_t zero_point, ClampRange range) {
  const std::int64_t value = std::int64_t{multiply_by_quantized_multiplier(acc, m)} + zero_point;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, range.low, range.high));
}

/// Strides in elements of `shape` read as `out` by broadcasting: 0 along dimensions of size 1.
[[nodiscard]] std::vector<std::int64_t> broadcast_strides(const Shape& shape, const Shape& out);
/// Calls visit(flat output index, offset in a, offset in b) for every element of `out`, in order.
void for_each_pair(const Shape& out, const Shape& a, const Shape& b,
                   const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& visit);

/// The next position in row-major order; wraps to zero after the last.
void advance(std::vector<std::int32_t>& position, const Shape& shape);

// One factory per operator.
Kernel make_kernel(const Context& c, const Conv2D& op);
Kernel make_kernel(const Context& c, const DepthwiseConv2D& op);
Kernel make_kernel(const Context& c, const TransposeConv& op);
Kernel make_kernel(const Context& c, const FullyConnected& op);
Kernel make_kernel(const Context& c, const Add& op);
Kernel make_kernel(const Context& c, const Mul& op);
Kernel make_kernel(const Context& c, const AveragePool& op);
Kernel make_kernel(const Context& c, const MaxPool& op);
Kernel make_kernel(const Context& c, const Mean& op);
Kernel make_kernel(const Context& c, const ReduceMax& op);
Kernel make_kernel(const Context& c, const Pad& op);
Kernel make_kernel(const Context& c, const Reshape& op);
Kernel make_kernel(const Context& c, const Transpose& op);
Kernel make_kernel(const Context& c, const Concat& op);
Kernel make_kernel(const Context& c, const ResizeNearest& op);
Kernel make_kernel(const Context& c, const ResizeBilinear& op);
Kernel make_kernel(const Context& c, const Softmax& op);
Kernel make_kernel(const Context& c, const Logistic& op);
Kernel make_kernel(const Context& c, const Tanh& op);
Kernel make_kernel(const Context& c, const HardSwish& op);
Kernel make_kernel(const Context& c, const LeakyRelu& op);
Kernel make_kernel(const Context& c, const PRelu& op);
Kernel make_kernel(const Context& c, const ArgMax& op);
Kernel make_kernel(const Context& c, const Quantize& op);
Kernel make_kernel(const Context& c, const Dequantize& op);

}  // namespace tinynas::kernels
