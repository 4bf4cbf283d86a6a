#include "graph/interpreter.h"

#include <cstring>
#include <string>
#include <utility>

#include "graph/error.h"
#include "graph/formats.h"
#include "graph/kernel.h"
#include "graph/shape.h"
#include "graph/validate.h"

namespace tinynas {
namespace {

/// Bytes of one value while it is computed with: an s4 takes a whole byte.
std::size_t value_bytes(DType dtype) { return dtype == DType::s4 ? 1 : static_cast<std::size_t>(dtype_bits(dtype)) / 8; }

/// Values that are packed without a gap: a row of an activation, all of a constant.
std::size_t packed_run(const Tensor& tensor) {
  const auto count = static_cast<std::size_t>(element_count(tensor.shape));
  return tensor.constant ? count : count / static_cast<std::size_t>(row_count(tensor.shape));
}

struct Step {
  kernels::Kernel kernel;
  std::vector<std::int32_t> inputs;
  std::int32_t output;
};

}  // namespace

Bytes unpack_values(const Tensor& tensor, const Bytes& packed) {
  if (tensor.dtype != DType::s4) return packed;
  const std::size_t run = packed_run(tensor), run_bytes = (run + 1) / 2;
  Bytes values(static_cast<std::size_t>(element_count(tensor.shape)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t at = i % run;
    const auto nibble = static_cast<std::uint8_t>((packed[i / run * run_bytes + at / 2] >> (at % 2 * 4)) & 15);
    values[i] = static_cast<std::uint8_t>((nibble ^ 8) - 8);
  }
  return values;
}

Bytes pack_values(const Tensor& tensor, Bytes values) {
  if (tensor.dtype != DType::s4) return values;
  const std::size_t run = packed_run(tensor), run_bytes = (run + 1) / 2;
  Bytes packed(values.size() / run * run_bytes, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint8_t& byte = packed[i / run * run_bytes + i % run / 2];
    byte = static_cast<std::uint8_t>(byte | (values[i] & 15) << (i % run % 2 * 4));
  }
  return packed;
}

struct Interpreter::State {
  std::vector<Tensor> tensors;   // without data
  std::vector<Bytes> constants;  // by tensor, unpacked
  std::vector<const void*> constant_pointers;
  std::vector<Step> steps;
  std::vector<std::int32_t> inputs, outputs;
  std::vector<std::vector<std::int32_t>> dead_after;  // by step: tensors that nothing later reads

  void load_constants(const Graph& graph);
  void add_steps(const Graph& graph);
  void find_dead(const Graph& graph);
  [[nodiscard]] std::vector<Bytes> execute(const std::vector<Bytes>& given, bool keep_all) const;
};

void Interpreter::State::load_constants(const Graph& graph) {
  constants.resize(graph.tensors.size());
  constant_pointers.assign(graph.tensors.size(), nullptr);
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    const Tensor& tensor = graph.tensors[i];
    tensors.push_back({tensor.name, tensor.shape, tensor.dtype, {}, tensor.constant, {}});
    if (!tensor.constant || tensor.data.empty()) continue;
    constants[i] = unpack_values(tensor, tensor.data);
    constant_pointers[i] = constants[i].data();
  }
}

void Interpreter::State::add_steps(const Graph& graph) {
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const Operator& op = graph.operators[i];
    const kernels::Context context{graph, i, op, constant_pointers};
    for (const std::int32_t tensor : op.inputs) {
      if (tensor >= 0 && graph.tensors[tensor].constant && graph.tensors[tensor].data.empty()) {
        throw InputError(context.place() + ": expected constants with data, got none in '" + graph.tensors[tensor].name +
                         "'");
      }
    }
    auto kernel = std::visit([&](const auto& kind) { return kernels::make_kernel(context, kind); }, op.kind);
    steps.push_back({std::move(kernel), op.inputs, op.outputs[0]});
  }
}

void Interpreter::State::find_dead(const Graph& graph) {
  std::vector<std::size_t> last(graph.tensors.size(), graph.operators.size());
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    last[graph.operators[i].outputs[0]] = i;
    for (const std::int32_t tensor : graph.operators[i].inputs) {
      if (tensor >= 0) last[tensor] = i;
    }
  }
  for (const std::int32_t tensor : graph.outputs) last[tensor] = graph.operators.size();
  dead_after.resize(graph.operators.size());
  for (std::size_t t = 0; t < last.size(); ++t) {
    if (!graph.tensors[t].constant && last[t] < graph.operators.size())
      dead_after[last[t]].push_back(static_cast<std::int32_t>(t));
  }
}

std::vector<Bytes> Interpreter::State::execute(const std::vector<Bytes>& given, bool keep_all) const {
  if (given.size() != inputs.size()) {
    throw InputError("[interpreter] expected " + std::to_string(inputs.size()) + " inputs, got " +
                     std::to_string(given.size()));
  }
  std::vector<Bytes> values(tensors.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = tensors[inputs[i]];
    const auto bytes = static_cast<std::size_t>(activation_bytes(tensor.shape, tensor.dtype));
    if (given[i].size() != bytes) {
      throw InputError("[interpreter] expected " + std::to_string(bytes) + " bytes of " +
                       std::string(dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape) + " as input " +
                       std::to_string(i) + ", got " + std::to_string(given[i].size()));
    }
    values[inputs[i]] = unpack_values(tensor, given[i]);
  }
  std::vector<const void*> pointers;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const Step& step = steps[s];
    pointers.clear();
    for (const std::int32_t tensor : step.inputs) {
      const bool computed = tensor >= 0 && constant_pointers[tensor] == nullptr;
      pointers.push_back(tensor < 0 ? nullptr : computed ? values[tensor].data() : constant_pointers[tensor]);
    }
    const Tensor& out = tensors[step.output];
    values[step.output].resize(static_cast<std::size_t>(element_count(out.shape)) * value_bytes(out.dtype));
    step.kernel({pointers, values[step.output].data()});
    if (keep_all) continue;
    for (const std::int32_t tensor : dead_after[s]) Bytes().swap(values[tensor]);
  }
  return values;
}

Interpreter::Interpreter(const Graph& graph) : state_(std::make_unique<State>()) {
  validate(graph);
  state_->load_constants(graph);
  state_->inputs = graph.inputs;
  state_->outputs = graph.outputs;
  state_->add_steps(graph);
  state_->find_dead(graph);
}

Interpreter::~Interpreter() = default;
Interpreter::Interpreter(Interpreter&&) noexcept = default;
Interpreter& Interpreter::operator=(Interpreter&&) noexcept = default;

std::vector<Bytes> Interpreter::run(const std::vector<Bytes>& inputs) const {
  std::vector<Bytes> values = state_->execute(inputs, false);
  std::vector<Bytes> outputs;
  for (const std::int32_t tensor : state_->outputs) {
    const Bytes* constant = state_->constant_pointers[tensor] != nullptr ? &state_->constants[tensor] : nullptr;
    outputs.push_back(pack_values(state_->tensors[tensor], constant != nullptr ? *constant : values[tensor]));
  }
  return outputs;
}

std::vector<Bytes> Interpreter::run_all(const std::vector<Bytes>& inputs) const {
  std::vector<Bytes> values = state_->execute(inputs, true);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = pack_values(state_->tensors[i], std::move(values[i]));
  return values;
}

std::vector<Bytes> run(const Graph& graph, const std::vector<Bytes>& inputs) { return Interpreter(graph).run(inputs); }

std::vector<Bytes> run_all(const Graph& graph, const std::vector<Bytes>& inputs) {
  return Interpreter(graph).run_all(inputs);
}

namespace kernels {

float Context::scale(const Tensor& tensor) const {
  if (tensor.quantization.scale.size() != 1) {
    throw InputError(place() + ": expected one scale in '" + tensor.name + "', got " +
                     std::to_string(tensor.quantization.scale.size()));
  }
  return tensor.quantization.scale[0];
}

std::int32_t Context::zero_point(const Tensor& tensor) const {
  static_cast<void>(scale(tensor));
  return tensor.quantization.zero_point[0];
}

ClampRange output_range(const Context& c) {
  const Tensor& out = c.output();
  return activation_range(fused_activation(c.op.kind), c.scale(out), c.zero_point(out),
                          {dtype_min(out.dtype), dtype_max(out.dtype)});
}

FloatRange float_range(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (activation == Activation::none) return {-kInfinity, kInfinity};
  return {0.0F, activation == Activation::relu6 ? 6.0F : kInfinity};
}

std::vector<std::int64_t> broadcast_strides(const Shape& shape, const Shape& out) {
  std::vector<std::int64_t> strides(out.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t d = shape.size() - 1 - i;
    if (shape[d] != 1) strides[out.size() - 1 - i] = stride;
    stride *= shape[d];
  }
  return strides;
}

void advance(std::vector<std::int32_t>& position, const Shape& shape) {
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (++position[d] < shape[d]) return;
    position[d] = 0;
  }
}

void for_each_pair(const Shape& out, const Shape& a, const Shape& b,
                   const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& visit) {
  const auto strides_a = broadcast_strides(a, out), strides_b = broadcast_strides(b, out);
  const std::int64_t count = element_count(out);
  std::vector<std::int32_t> position(out.size(), 0);
  std::int64_t at_a = 0, at_b = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, at_a, at_b);
    for (std::size_t d = out.size(); d-- > 0;) {
      at_a += strides_a[d];
      at_b += strides_b[d];
      if (++position[d] < out[d]) break;
      at_a -= strides_a[d] * out[d];
      at_b -= strides_b[d] * out[d];
      position[d] = 0;
    }
  }
}

}  // namespace kernels
}  // namespace tinynas
