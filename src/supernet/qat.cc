#include "supernet/qat.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "graph/error.h"
#include "graph/interpreter.h"
#include "graph/operators.h"
#include "graph/validate.h"

namespace tinynas {
namespace {

constexpr double kLeastStep = 1e-7;
constexpr double kBiasMax = 1 << 30;
constexpr float kImageStep = 1.0F / 128;

template <class Kind>
bool is(const Operator& op) {
  return std::holds_alternative<Kind>(op.kind);
}

[[noreturn]] void fail(const Graph& graph, std::size_t op, const std::string& expected, const std::string& got) {
  throw InputError("[qat] " + operator_text(graph, op) + ": expected " + expected + ", got " + got);
}

void check_operator(const Graph& graph, std::size_t index) {
  const Operator& op = graph.operators[index];
  const bool known = is<Conv2D>(op) || is<DepthwiseConv2D>(op) || is<FullyConnected>(op) || is<Add>(op) ||
                     is<AveragePool>(op) || is<Reshape>(op);
  if (!known) {
    fail(graph, index, "a convolution, fully connected, ADD, pool or reshape", std::string(operator_name(op.kind)));
  }
  const Shape& x = graph.tensors[op.inputs[0]].shape;
  if (const auto* pool = std::get_if<AveragePool>(&op.kind); pool && (pool->kernel_h != x[1] || pool->kernel_w != x[2]))
    fail(graph, index, "a pool over the whole map", "a smaller window");
  if (!has_weights(op)) return;
  for (std::size_t i = 1; i < op.inputs.size(); ++i) {
    if (op.inputs[i] >= 0 && graph.tensors[op.inputs[i]].data.empty()) fail(graph, index, "constants with data", "none");
  }
  const auto w = kernel_window(graph, op);
  if (w && (w->window.dilation_h != 1 || w->window.dilation_w != 1)) fail(graph, index, "no dilation", "one");
}

at::Tensor constant(const Tensor& tensor) {
  const std::vector<std::int64_t> sizes(tensor.shape.begin(), tensor.shape.end());
  at::Tensor values = at::empty(sizes, at::kFloat);
  std::memcpy(values.data_ptr(), tensor.data.data(), tensor.data.size());
  return values;
}

/// TensorFlow Lite's layouts to [Co, Ci, kh, kw] and back; fully connected [Co, Ci] as it is.
at::Tensor to_torch(const Operator& op, const at::Tensor& weight) {
  if (is<DepthwiseConv2D>(op)) return weight.permute({3, 0, 1, 2}).contiguous();
  return is<Conv2D>(op) ? weight.permute({0, 3, 1, 2}).contiguous() : weight;
}
at::Tensor from_torch(const Operator& op, const at::Tensor& weight) {
  if (is<DepthwiseConv2D>(op)) return weight.permute({1, 2, 3, 0}).contiguous();
  return is<Conv2D>(op) ? weight.permute({0, 2, 3, 1}).contiguous() : weight.contiguous();
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  if (activation == Activation::relu) return at::relu(x);
  return activation == Activation::relu6 ? at::hardtanh(x, 0.0, 6.0) : x;
}

/// The values of [C] against [C, ...].
at::Tensor per_channel(const at::Tensor& step, const at::Tensor& weight) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(weight.dim()), 1);
  sizes[0] = -1;
  return step.view(sizes);
}

/// The paper's Q_P; of a range whose zero point lies off its middle the levels on its longer side.
double positive_levels(QuantizerRange range) { return std::max(range.high, -range.low - 1); }

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU).to(at::kFloat).contiguous();
  const auto* data = values.data_ptr<float>();
  return {data, data + values.numel()};
}

/// The nearest levels of x in TensorFlow Lite's arithmetic, which rounds first to `grid` parts of a level, then to levels,
/// halves away from zero both times. With few levels the first rounding shows: it carries 0.49 to a half.
at::Tensor requantised(const at::Tensor& x, const at::Tensor& grid) {
  const c10::NoGradGuard no_grad;
  at::Tensor parts = (x * grid).add_(0.5).floor_();
  at::Tensor levels = parts.abs().div_(grid).add_(0.5).floor_();
  return levels.copysign_(parts);
}

}  // namespace

at::Tensor quantize_lsq(const at::Tensor& v, const at::Tensor& step, QuantizerRange range, double gradient_scale,
                        const at::Tensor& grid) {
  const at::Tensor s = (step - step * gradient_scale).detach() + step * gradient_scale;
  const at::Tensor levels = v / s;
  const at::Tensor x = at::clamp(levels, range.low, range.high);
  const at::Tensor nearest = grid.defined() ? requantised(levels, grid).clamp_(range.low, range.high) : at::round(x);
  return (nearest - x).detach().add(x) * s;
}

QatNet::QatNet(Graph graph, std::vector<Format> formats) : graph_(std::move(graph)), formats_(std::move(formats)) {
  validate(graph_);
  const std::size_t tensors = graph_.tensors.size();
  bits_ = activation_bits(graph_, formats_);
  layers_.resize(graph_.operators.size());
  step_of_.assign(tensors, -1);
  shares_step_of_.assign(tensors, -1);
  zero_.assign(tensors, 0);
  for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
    check_operator(graph_, i);
    const Operator& op = graph_.operators[i];
    if (graph_.tensors[op.outputs[0]].dtype != DType::f32) fail(graph_, i, "an output of f32", "integers");
    if (has_weights(op)) add_layer(i);
  }
  for (const std::int32_t input : graph_.inputs) shares_step_of_[input] = input;
  for (const Operator& op : graph_.operators) {
    const std::int32_t out = op.outputs[0];
    if (is<AveragePool>(op) || is<Reshape>(op)) {
      shares_step_of_[out] = shares_step_of_[op.inputs[0]];
      zero_[out] = zero_[op.inputs[0]];
    } else {
      if (fused_activation(op.kind) != Activation::none) zero_[out] = -(1 << (bits_[out] - 1));
      add_activation(out);
    }
  }
}

void QatNet::add_layer(std::size_t index) {
  const Operator& op = graph_.operators[index];
  Layer& layer = layers_[index];
  layer.weight = parameters_.size();
  parameters_.push_back({op.name + ".weight", to_torch(op, constant(graph_.tensors[op.inputs[1]])).requires_grad_(), true});
  layer.has_bias = op.inputs.size() > 2 && op.inputs[2] >= 0;
  layer.bias = parameters_.size();
  if (layer.has_bias) {
    parameters_.push_back({op.name + ".bias", constant(graph_.tensors[op.inputs[2]]).requires_grad_(), false});
  }
  layer.step = parameters_.size();
  const std::int64_t channels = parameters_[layer.weight].value.size(0);
  parameters_.push_back({op.name + ".weight_step", at::ones({channels}).requires_grad_(), false});
}

void QatNet::add_activation(std::int32_t tensor) {
  step_of_[tensor] = static_cast<std::int32_t>(parameters_.size());
  shares_step_of_[tensor] = tensor;
  parameters_.push_back({graph_.tensors[tensor].name + ".step", at::ones({1}).requires_grad_(), false});
}

QuantizerRange QatNet::weight_range(std::size_t op) const {
  const double high = (1 << (weight_bits(formats_[op]) - 1)) - 1;
  return {-high, high};
}

QuantizerRange QatNet::activation_range(std::int32_t tensor) const {
  const double half = 1 << (bits_[tensor] - 1), zero = zero_[tensor];
  return {-half - zero, half - 1 - zero};
}

void QatNet::to(const at::Device& device) {
  for (Parameter& parameter : parameters_) parameter.value = parameter.value.detach().to(device).requires_grad_();
}

at::Tensor QatNet::quantised_weight(std::size_t op) const {
  const at::Tensor& weight = parameters_[layers_[op].weight].value;
  const QuantizerRange range = weight_range(op);
  const double each = static_cast<double>(weight.numel() / weight.size(0));
  return quantize_lsq(weight, per_channel(parameters_[layers_[op].step].value, weight), range,
                      1.0 / std::sqrt(each * range.high));
}

at::Tensor QatNet::accumulator_step(std::size_t op) const {
  const std::int32_t input = step_of_[shares_step_of_[graph_.operators[op].inputs[0]]];
  const at::Tensor weights = parameters_[layers_[op].step].value.detach();
  return input < 0 ? weights * kImageStep : weights * parameters_[input].value.detach();
}

at::Tensor QatNet::quantised_bias(std::size_t op) const {
  const at::Tensor& bias = parameters_[layers_[op].bias].value;
  const at::Tensor step = accumulator_step(op);
  return (at::round(bias / step) * step - bias).detach() + bias;
}

at::Tensor QatNet::rounding_grid(std::size_t op, const at::Tensor& output_step) const {
  const c10::NoGradGuard no_grad;
  // The multiplier is m * 2^e with m in [0.5, 1): m comes first, then the shift by -e.
  const at::Tensor exponent = at::log2(accumulator_step(op) / output_step).floor_().add_(1).clamp_max_(0);
  const at::Tensor grid = at::exp2(-exponent);
  return is<FullyConnected>(graph_.operators[op]) ? grid : grid.view({1, -1, 1, 1});
}

at::Tensor QatNet::convolve(std::size_t index, const at::Tensor& x, bool quantised) const {
  const Operator& op = graph_.operators[index];
  const at::Tensor weight = quantised ? quantised_weight(index) : parameters_[layers_[index].weight].value;
  at::Tensor bias;
  if (layers_[index].has_bias) bias = quantised ? quantised_bias(index) : parameters_[layers_[index].bias].value;
  if (is<FullyConnected>(op)) return at::linear(x.dim() == 4 ? x.permute({0, 2, 3, 1}).flatten(1) : x, weight, bias);
  const Window w = kernel_window(graph_, op)->window;
  const Padding& p = w.padding;
  const at::Tensor padded = at::constant_pad_nd(x, {p.left, p.right, p.top, p.bottom});
  const std::int64_t groups = is<DepthwiseConv2D>(op) ? x.size(1) : x.size(1) / weight.size(1);
  return at::conv2d(padded, weight, bias, {w.stride_h, w.stride_w}, at::IntArrayRef{0, 0}, {1, 1}, groups);
}

at::Tensor QatNet::run_operator(std::size_t index, const std::vector<at::Tensor>& values, bool quantised) const {
  const Operator& op = graph_.operators[index];
  const at::Tensor& x = values[op.inputs[0]];
  at::Tensor y;
  if (has_weights(op)) {
    y = convolve(index, x, quantised);
  } else if (is<Add>(op)) {
    y = x + values[op.inputs[1]];
  } else if (is<AveragePool>(op)) {
    y = x.mean(at::IntArrayRef{2, 3}, true);
  } else {  // the only reshapes are those of a pixel: [1, 1, 1, C] to [1, C]
    return x.flatten(1);
  }
  y = activate(fused_activation(op.kind), y);
  const std::int32_t out = op.outputs[0], owner = shares_step_of_[out];
  if (!quantised || step_of_[owner] < 0) return y;
  const QuantizerRange range = activation_range(out);
  const at::Tensor& step = parameters_[step_of_[owner]].value;
  const double each = static_cast<double>(y.numel() / y.size(0));
  const at::Tensor grid = has_weights(op) ? rounding_grid(index, step) : at::Tensor();
  return quantize_lsq(y, step, range, 1.0 / std::sqrt(each * positive_levels(range)), grid);
}

std::vector<at::Tensor> QatNet::run(const at::Tensor& x, bool quantised) const {
  std::vector<at::Tensor> values(graph_.tensors.size());
  values[graph_.inputs[0]] = x;
  for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
    values[graph_.operators[i].outputs[0]] = run_operator(i, values, quantised);
  }
  return values;
}

at::Tensor QatNet::forward(const at::Tensor& x, bool quantised) const {
  return run(x, quantised)[graph_.outputs[0]].flatten(1);
}

void QatNet::initialise(const at::Tensor& images) {
  const c10::NoGradGuard no_grad;
  for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
    if (!has_weights(graph_.operators[i])) continue;
    const at::Tensor& weight = parameters_[layers_[i].weight].value;
    const at::Tensor mean = weight.abs().flatten(1).mean(1);
    parameters_[layers_[i].step].value.copy_((mean * (2.0 / std::sqrt(weight_range(i).high))).clamp_min(kLeastStep));
  }
  const std::vector<at::Tensor> values = run(normalise_images(images), false);
  for (std::size_t t = 0; t < values.size(); ++t) {
    if (step_of_[t] < 0) continue;
    const double high = positive_levels(activation_range(static_cast<std::int32_t>(t)));
    const at::Tensor step = values[t].abs().mean() * (2.0 / std::sqrt(high));
    parameters_[step_of_[t]].value.fill_(std::max(step.item<double>(), kLeastStep));
  }
}

void QatNet::start_from(const Graph& quantised) {
  const c10::NoGradGuard no_grad;
  if (quantised.operators.size() != graph_.operators.size() || quantised.tensors.size() < graph_.tensors.size()) {
    throw InputError("[qat] expected a quantised graph of the same network, " + std::to_string(graph_.operators.size()) +
                     " operators, got " + std::to_string(quantised.operators.size()));
  }
  for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
    if (step_of_[t] < 0) continue;
    const Tensor& tensor = quantised.tensors[t];
    if (dtype_bits(tensor.dtype) != bits_[t] || tensor.quantization.scale.size() != 1) {
      throw InputError("[qat] tensor '" + tensor.name + "': expected " + std::to_string(bits_[t]) +
                       " bits and one scale, got " + std::string(dtype_name(tensor.dtype)));
    }
    zero_[t] = tensor.quantization.zero_point.at(0);
    parameters_[step_of_[t]].value.fill_(tensor.quantization.scale[0]);
  }
  for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
    if (shares_step_of_[t] >= 0) zero_[t] = zero_[shares_step_of_[t]];
  }
  for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
    if (has_weights(graph_.operators[i])) start_layer(quantised, i);
  }
}

void QatNet::start_layer(const Graph& quantised, std::size_t index) {
  const Operator& op = quantised.operators[index];
  const Layer& layer = layers_[index];
  const std::vector<float>& steps = quantised.tensors[op.inputs[1]].quantization.scale;
  at::Tensor step = parameters_[layer.step].value;
  if (dtype_bits(quantised.tensors[op.inputs[1]].dtype) != weight_bits(formats_[index]) ||
      static_cast<std::int64_t>(steps.size()) != step.numel()) {
    fail(graph_, index, std::to_string(weight_bits(formats_[index])) + "-bit weights with a scale per output channel",
         "others in the quantised graph");
  }
  step.copy_(at::tensor(steps));
  if (!layer.has_bias) return;
  const Tensor& bias = quantised.tensors[op.inputs[2]];
  std::vector<std::int32_t> levels(steps.size());
  std::memcpy(levels.data(), bias.data.data(), bias.data.size());
  parameters_[layer.bias].value.copy_(at::tensor(levels).to(at::kFloat) * at::tensor(bias.quantization.scale));
}

void QatNet::export_weights(Graph& graph, std::size_t index) const {
  const Operator& op = graph.operators[index];
  const Layer& layer = layers_[index];
  const std::vector<float> steps = floats(parameters_[layer.step].value);
  const at::Tensor& real = parameters_[layer.weight].value;
  const QuantizerRange range = weight_range(index);
  const at::Tensor levels =
      at::round(at::clamp(real / per_channel(parameters_[layer.step].value, real), range.low, range.high));
  Tensor& weights = graph.tensors[op.inputs[1]];
  Bytes bytes;
  for (const float level : floats(from_torch(op, levels)))
    bytes.push_back(static_cast<std::uint8_t>(static_cast<std::int8_t>(std::lround(level))));
  weights.dtype = weight_bits(formats_[index]) == 4 ? DType::s4 : DType::s8;
  weights.data = pack_values(weights, std::move(bytes));
  weights.quantization = {steps, std::vector<std::int32_t>(steps.size(), 0), is<DepthwiseConv2D>(op) ? 3 : 0};
  if (!layer.has_bias) return;
  const double input_scale = graph.tensors[op.inputs[0]].quantization.scale[0];
  Tensor& bias = graph.tensors[op.inputs[2]];
  bias.quantization = {{}, std::vector<std::int32_t>(steps.size(), 0), 0};
  const std::vector<float> values = floats(parameters_[layer.bias].value);
  std::vector<std::int32_t> rounded;
  for (std::size_t c = 0; c < values.size(); ++c) {
    const double scale = input_scale * steps[c];
    bias.quantization.scale.push_back(static_cast<float>(scale));
    rounded.push_back(static_cast<std::int32_t>(std::clamp(std::round(values[c] / scale), -kBiasMax, kBiasMax)));
  }
  bias.dtype = DType::s32;
  std::memcpy(bias.data.data(), rounded.data(), bias.data.size());
}

Graph QatNet::to_graph() const {
  const c10::NoGradGuard no_grad;
  Graph graph = graph_;
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    Tensor& tensor = graph.tensors[t];
    if (tensor.constant || shares_step_of_[t] < 0) continue;
    const std::int32_t owner = shares_step_of_[t];
    const bool image = step_of_[owner] < 0;
    const float step = image ? kImageStep : floats(parameters_[step_of_[owner]].value)[0];
    tensor.dtype = bits_[t] == 4 ? DType::s4 : DType::s8;
    tensor.quantization = {{step}, {zero_[t]}, 0};
  }
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    if (has_weights(graph.operators[i])) export_weights(graph, i);
  }
  validate(graph);
  return graph;
}

QatStep::QatStep(std::shared_ptr<QatNet> net, const TrainOptions& options) : net_(std::move(net)), options_(options) {
  const c10::NoGradGuard no_grad;
  for (const Parameter& parameter : net_->parameters()) momentum_.push_back(at::zeros_like(parameter.value));
}

StepLosses QatStep::accumulate(const at::Tensor& images, const at::Tensor& labels, const at::Tensor& teacher) {
  const at::Tensor logits = net_->forward(normalise_images(images));
  const LossGradient label = label_loss(logits, labels, options_.label_smoothing);
  StepLosses losses;
  losses.first = label.loss.item<double>();
  losses.correct = logits.argmax(1).eq(labels).sum().item<std::int64_t>();
  at::Tensor gradient = label.gradient;
  if (teacher.defined()) {
    const LossGradient soft = soft_loss(logits, teacher);
    losses.others = soft.loss.item<double>();
    gradient = soft.gradient * (1.0 - options_.label_share) + label.gradient * options_.label_share;
  }
  logits.backward(gradient);
  return losses;
}

double QatStep::apply(double learning_rate) {
  const double norm = sgd_step(net_->parameters(), momentum_, options_, learning_rate);
  const c10::NoGradGuard no_grad;
  for (const Parameter& parameter : net_->parameters()) {
    if (parameter.name.ends_with("step")) at::Tensor(parameter.value).clamp_min_(kLeastStep);
  }
  return norm;
}

}  // namespace tinynas
