#include "graph/validate.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "graph/error.h"
#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas {
namespace {

[[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& got) {
  throw InputError("[graph] " + place + ": expected " + expected + ", got " + got);
}

void validate_quantization(const Tensor& tensor, const std::string& place) {
  const Quantization& q = tensor.quantization;
  if (q.scale.size() != q.zero_point.size()) {
    fail(place, "as many zero points as scales, " + std::to_string(q.scale.size()), std::to_string(q.zero_point.size()));
  }
  if (q.scale.size() > 1) {
    const bool ok = q.axis >= 0 && static_cast<std::size_t>(q.axis) < tensor.shape.size() &&
                    q.scale.size() == static_cast<std::size_t>(tensor.shape[q.axis]);
    if (!ok) {
      fail(place, "one scale per slice along axis " + std::to_string(q.axis) + " of " + shape_text(tensor.shape),
           std::to_string(q.scale.size()));
    }
  }
  for (std::size_t i = 0; i < q.scale.size(); ++i) {
    if (!(q.scale[i] > 0) || !std::isfinite(q.scale[i])) fail(place, "scales above 0", std::to_string(q.scale[i]));
    if (tensor.dtype == DType::f32) continue;
    if (q.zero_point[i] < dtype_min(tensor.dtype) || q.zero_point[i] > dtype_max(tensor.dtype)) {
      fail(place, "a zero point that " + std::string(dtype_name(tensor.dtype)) + " holds", std::to_string(q.zero_point[i]));
    }
  }
}

void validate_tensor(const Graph& graph, std::size_t index) {
  const Tensor& tensor = graph.tensors[index];
  const std::string place = "tensor " + std::to_string(index) + " ('" + tensor.name + "')";
  std::int64_t bytes = 0;
  try {
    bytes = byte_count(tensor.shape, tensor.dtype);
  } catch (const InputError& error) {
    throw InputError("[graph] " + place + ": " + error.what());
  }
  if (!tensor.constant && !tensor.data.empty())
    fail(place, "no data in an activation", std::to_string(tensor.data.size()) + " bytes");
  if (!tensor.data.empty() && static_cast<std::int64_t>(tensor.data.size()) != bytes) {
    fail(place, std::to_string(bytes) + " bytes of data", std::to_string(tensor.data.size()));
  }
  validate_quantization(tensor, place);
}

/// Checks of one operator's types and quantisation, its shapes being right.
class OperatorRules {
 public:
  OperatorRules(const Graph& graph, std::size_t index) : graph_(graph), index_(index), op_(graph.operators[index]) {}

  void check() const { std::visit(*this, op_.kind); }

  void operator()(const Conv2D&) const { check_weighted(0); }
  void operator()(const DepthwiseConv2D&) const { check_weighted(3); }
  void operator()(const TransposeConv&) const { check_weighted(0); }
  void operator()(const FullyConnected&) const { check_weighted(0); }
  void operator()(const Add&) const {
    if (output().dtype == DType::f32) return check_same_type();
    for (std::size_t i = 0; i <= op_.inputs.size(); ++i) {  // of 4 and of 8 bits, each in its own quantisation
      const Tensor& tensor = i < op_.inputs.size() ? input(i) : output();
      if (tensor.dtype != DType::s8 && tensor.dtype != DType::s4) fail_here("tensors of s8 or s4", type(tensor));
      need_per_tensor(tensor);
    }
  }
  void operator()(const Mul&) const { check_same_type(); }
  void operator()(const PRelu&) const { check_same_type(); }
  void operator()(const Mean&) const { check_same_type(); }
  void operator()(const HardSwish&) const { check_same_type(); }
  void operator()(const LeakyRelu&) const { check_same_type(); }
  void operator()(const Softmax&) const { check_fixed_output(1.0F / 256, -128); }
  void operator()(const Logistic&) const { check_fixed_output(1.0F / 256, -128); }
  void operator()(const Tanh&) const { check_fixed_output(1.0F / 128, 0); }
  void operator()(const ArgMax&) const {
    check_arithmetic_type(input(0), "input");
    if (output().dtype != DType::s32 && output().dtype != DType::s64) fail_here("an output of s32 or s64", type(output()));
  }
  void operator()(const Quantize&) const {
    if (!is_quantizable(output().dtype)) fail_here("an integer output", type(output()));
    if (input(0).dtype != DType::f32 && !is_quantizable(input(0).dtype))
      fail_here("an f32 or integer input", type(input(0)));
    need_per_tensor(output());
  }
  void operator()(const Dequantize&) const {
    if (!is_quantizable(input(0).dtype)) fail_here("an integer input", type(input(0)));
    if (output().dtype != DType::f32) fail_here("an f32 output", type(output()));
    need_per_tensor(input(0));
  }
  void operator()(const AveragePool&) const { check_moved(false); }
  void operator()(const MaxPool&) const { check_moved(false); }
  void operator()(const ReduceMax&) const { check_moved(false); }
  void operator()(const ResizeBilinear&) const { check_moved(false); }
  void operator()(const auto&) const { check_moved(true); }  // values are moved, not computed

 private:
  [[nodiscard]] const Tensor& input(std::size_t i) const { return graph_.tensors[op_.inputs[i]]; }
  [[nodiscard]] const Tensor& output() const { return graph_.tensors[op_.outputs[0]]; }
  [[nodiscard]] static std::string type(const Tensor& t) { return std::string(dtype_name(t.dtype)) + " '" + t.name + "'"; }
  [[noreturn]] void fail_here(const std::string& expected, const std::string& got) const {
    fail(operator_text(graph_, index_), expected, got);
  }
  static bool is_quantizable(DType t) { return t == DType::s8 || t == DType::u8 || t == DType::s4 || t == DType::s16; }

  void check_arithmetic_type(const Tensor& tensor, const std::string& what) const {
    if (tensor.dtype != DType::f32 && tensor.dtype != DType::s8 && tensor.dtype != DType::s4) {
      fail_here("an " + what + " of f32, s8 or s4", type(tensor));
    }
  }
  void need_per_tensor(const Tensor& tensor) const {
    if (tensor.quantization.scale.size() > 1) fail_here("one scale for the whole tensor '" + tensor.name + "'", "several");
  }
  /// All inputs and the output of one type, quantised per tensor.
  void check_same_type() const {
    check_arithmetic_type(input(0), "input");
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      if (input(i).dtype != output().dtype) fail_here("inputs of the output's type " + type(output()), type(input(i)));
      need_per_tensor(input(i));
    }
    need_per_tensor(output());
  }
  void check_moved(bool any_type) const {
    if (!any_type) check_arithmetic_type(input(0), "input");
    const Quantization& out = output().quantization;
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      if (input(i).dtype != output().dtype) fail_here("inputs of the output's type " + type(output()), type(input(i)));
      need_per_tensor(input(i));
      const Quantization& in = input(i).quantization;
      if (input(i).dtype == DType::f32 || in.scale.empty() || out.scale.empty()) continue;
      if (in.scale[0] != out.scale[0] || in.zero_point[0] != out.zero_point[0]) {
        fail_here("the same scale and zero point in input '" + input(i).name + "' and output", "different ones");
      }
    }
  }
  void check_fixed_output(float scale, std::int32_t zero_point) const {
    check_same_type();
    const Quantization& q = output().quantization;
    if (output().dtype == DType::f32 || q.scale.empty()) return;
    if (q.scale[0] != scale || q.zero_point[0] != zero_point) {
      fail_here("an output of scale 1/" + std::to_string(static_cast<std::int32_t>(1 / scale)) + " and zero point " +
                    std::to_string(zero_point),
                std::to_string(q.scale[0]) + " and " + std::to_string(q.zero_point[0]));
    }
  }
  /// Convolutions and fully connected: weights symmetric, per tensor or per output channel along `axis`; the bias in s32.
  void check_weighted(std::int32_t axis) const {
    check_arithmetic_type(input(0), "input");
    const bool real = input(0).dtype == DType::f32;
    const Tensor& weights = input(1);
    const bool weights_ok = real ? weights.dtype == DType::f32 : weights.dtype == DType::s8 || weights.dtype == DType::s4;
    if (!weights_ok) fail_here(real ? "weights of f32" : "weights of s8 or s4", type(weights));
    const bool has_bias = op_.inputs.size() > 2 && op_.inputs[2] >= 0;
    if (has_bias && input(2).dtype != (real ? DType::f32 : DType::s32))
      fail_here(real ? "a bias of f32" : "a bias of s32", type(input(2)));
    if ((output().dtype == DType::f32) != real) fail_here(real ? "an output of f32" : "an integer output", type(output()));
    check_arithmetic_type(output(), "output");
    need_per_tensor(input(0));
    need_per_tensor(output());
    const Quantization& q = weights.quantization;
    if (!real && q.scale.size() > 1 && q.axis != axis)
      fail_here("scales along axis " + std::to_string(axis), std::to_string(q.axis));
    const bool symmetric = std::all_of(q.zero_point.begin(), q.zero_point.end(), [](std::int32_t z) { return z == 0; });
    if (!real && !symmetric) fail_here("weights with zero point 0", "another");
  }

  const Graph& graph_;
  std::size_t index_;
  const Operator& op_;
};

void check_graph_tensors(const Graph& graph, const std::vector<std::int32_t>& list, const std::string& what) {
  for (const std::int32_t index : list) {
    if (index < 0 || static_cast<std::size_t>(index) >= graph.tensors.size()) {
      fail(what, "a tensor index below " + std::to_string(graph.tensors.size()), std::to_string(index));
    }
  }
}

}  // namespace

void validate(const Graph& graph) {
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) validate_tensor(graph, i);
  check_graph_tensors(graph, graph.inputs, "graph inputs");
  check_graph_tensors(graph, graph.outputs, "graph outputs");
  std::vector<bool> known(graph.tensors.size(), false);
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) known[i] = graph.tensors[i].constant;
  for (const std::int32_t input : graph.inputs) {
    if (known[input]) fail("graph inputs", "activations, each once", "tensor " + std::to_string(input));
    known[input] = true;
  }
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    const Shape inferred = infer_output_shape(graph, i);
    const std::string place = operator_text(graph, i);
    for (const std::int32_t tensor : op.inputs) {
      if (tensor >= 0 && !known[tensor]) fail(place, "inputs computed before it", "tensor " + std::to_string(tensor));
    }
    const std::int32_t output = op.outputs[0];
    if (known[output]) fail(place, "an output that nothing else writes", "tensor " + std::to_string(output));
    known[output] = true;
    if (graph.tensors[output].shape != inferred) {
      fail(place, "an output of shape " + shape_text(inferred), shape_text(graph.tensors[output].shape));
    }
    OperatorRules(graph, i).check();
  }
  for (const std::int32_t output : graph.outputs) {
    if (!known[output]) fail("graph outputs", "tensors that some operator computes", "tensor " + std::to_string(output));
  }
}

bool has_data(const Graph& graph) {
  for (const Operator& op : graph.operators) {
    for (const std::int32_t tensor : op.inputs) {
      if (tensor >= 0 && graph.tensors[tensor].constant && graph.tensors[tensor].data.empty()) return false;
    }
  }
  return true;
}

}  // namespace tinynas
