#include "quant/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "graph/error.h"
#include "graph/interpreter.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

constexpr double kBiasMax = 1 << 30;   // leaves as much again for the products
constexpr double kBiasFine = 1 << 16;  // of a channel without weights: fine enough that rounding it does not show

/// Where weight i belongs: its output channel, and the channel of the input that it multiplies.
struct WeightIndex {
  std::int32_t output, input;
};

WeightIndex weight_index(const Operator& op, const Shape& weights, const Shape& x, std::size_t i) {
  const auto last = static_cast<std::size_t>(weights.back());
  if (std::holds_alternative<DepthwiseConv2D>(op.kind)) {
    const auto output = static_cast<std::int32_t>(i % last);
    return {output, output / (weights[3] / x[3])};
  }
  const auto per_output = [&] {
    std::size_t product = 1;
    for (std::size_t d = 1; d < weights.size(); ++d) product *= static_cast<std::size_t>(weights[d]);
    return product;
  }();
  const auto output = static_cast<std::int32_t>(i / per_output);
  auto input = static_cast<std::int32_t>(i % last);
  if (std::holds_alternative<Conv2D>(op.kind))
    input += output / (weights[0] / (x[3] / weights[3])) * weights[3];  // its group's first
  return {output, input};
}

std::vector<std::uint8_t> as_bytes(const std::vector<std::int32_t>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(std::int32_t));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

double greatest_level(std::int32_t bits) { return static_cast<double>((1 << (bits - 1)) - 1); }

double nearest_level(double value, double scale, double greatest) {
  return std::clamp(std::round(value / scale), -greatest, greatest);
}

/// The scale of least mean squared error, from half of the one that reaches the greatest weight on: with few levels it pays
/// to clip.
double least_error_scale(const std::vector<float>& weights, double full, double greatest) {
  constexpr std::int32_t kSteps = 50;
  double best = full, least = std::numeric_limits<double>::max();
  for (std::int32_t i = 0; i <= kSteps; ++i) {
    const double scale = full * (1.0 - 0.5 * i / kSteps);
    double error = 0;
    for (const float w : weights) {
      const double rest = w - nearest_level(w, scale, greatest) * scale;
      error += rest * rest;
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/// One scale per channel, wider where the bias would otherwise not fit: 8 bits reach the greatest weight.
std::vector<float> channel_scales(const std::vector<std::vector<float>>& weights, const std::vector<float>& bias,
                                  double input_scale, std::int32_t bits) {
  std::vector<float> scales;
  for (std::size_t c = 0; c < weights.size(); ++c) {
    const double magnitude = bias.empty() ? 0.0 : std::fabs(bias[c]);
    double scale = 0;
    for (const float w : weights[c]) scale = std::max<double>(scale, std::fabs(w));
    scale /= greatest_level(bits);
    if (bits < 8 && scale > 0) scale = least_error_scale(weights[c], scale, greatest_level(bits));
    if (scale == 0) scale = magnitude > 0 ? magnitude / (input_scale * kBiasFine) : 1.0;
    scale = std::max(scale, magnitude / (input_scale * kBiasMax));
    scales.push_back(static_cast<float>(scale));
  }
  return scales;
}

std::int32_t append_bias(Graph& graph, std::size_t index, std::int32_t channels) {
  Tensor bias;
  bias.name = graph.operators[index].name + ".bias";
  bias.shape = {channels};
  bias.constant = true;
  graph.tensors.push_back(std::move(bias));
  const auto tensor = static_cast<std::int32_t>(graph.tensors.size() - 1);
  graph.operators[index].inputs.resize(3, -1);
  graph.operators[index].inputs[2] = tensor;
  return tensor;
}

}  // namespace

std::optional<std::int32_t> weight_axis(const OperatorKind& kind) {
  if (std::holds_alternative<DepthwiseConv2D>(kind)) return 3;
  const bool others = std::holds_alternative<Conv2D>(kind) || std::holds_alternative<TransposeConv>(kind) ||
                      std::holds_alternative<FullyConnected>(kind);
  return others ? std::optional<std::int32_t>(0) : std::nullopt;
}

std::vector<float> float_values(const Tensor& tensor) {
  if (!tensor.constant || tensor.data.empty() || tensor.dtype != DType::f32) {
    throw InputError("[quantize] expected f32 constants with data, got '" + tensor.name + "'");
  }
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  for (const float value : values) {
    if (!std::isfinite(value))
      throw InputError("[quantize] expected finite values in '" + tensor.name + "', got " + std::to_string(value));
  }
  return values;
}

std::vector<std::uint8_t> quantize_values(const std::vector<float>& values, const Quantization& q) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size());
  for (const float value : values) {
    const double level = std::round(static_cast<double>(value) / q.scale[0]) + q.zero_point[0];
    bytes.push_back(static_cast<std::uint8_t>(static_cast<std::int8_t>(std::clamp(level, -128.0, 127.0))));
  }
  return bytes;
}

void quantize_weights(Graph& graph, std::size_t index, std::int32_t bits, const std::vector<double>& input_mean) {
  const Operator op = graph.operators[index];
  const Shape x = graph.tensors[op.inputs[0]].shape;
  const double input_scale = graph.tensors[op.inputs[0]].quantization.scale.at(0);
  const std::int32_t axis = *weight_axis(op.kind);
  std::int32_t bias_tensor = op.inputs.size() > 2 ? op.inputs[2] : -1;
  const std::vector<float> bias = bias_tensor >= 0 ? float_values(graph.tensors[bias_tensor]) : std::vector<float>();

  Tensor& weights = graph.tensors[op.inputs[1]];
  const std::vector<float> values = float_values(weights);
  const std::int32_t channels = weights.shape[axis];
  std::vector<std::vector<float>> by_channel(channels);
  for (std::size_t i = 0; i < values.size(); ++i)
    by_channel[weight_index(op, weights.shape, x, i).output].push_back(values[i]);
  const std::vector<float> scales = channel_scales(by_channel, bias, input_scale, bits);

  std::vector<double> lost(channels, 0.0);  // by rounding the weights, from the output's mean
  const bool known_mean = !input_mean.empty() && input_mean.size() == static_cast<std::size_t>(x.back());
  Bytes levels_of_weights(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const WeightIndex at = weight_index(op, weights.shape, x, i);
    const double level = nearest_level(values[i], scales[at.output], greatest_level(bits));
    levels_of_weights[i] = static_cast<std::uint8_t>(static_cast<std::int8_t>(level));
    const auto mean_index = static_cast<std::size_t>(at.input);
    if (known_mean && mean_index < input_mean.size())
      lost[at.output] += (values[i] - level * scales[at.output]) * input_mean[mean_index];
  }
  weights.dtype = bits == 4 ? DType::s4 : DType::s8;
  weights.data = pack_values(weights, std::move(levels_of_weights));
  weights.quantization = {scales, std::vector<std::int32_t>(channels, 0), axis};

  if (bias_tensor < 0 && std::all_of(lost.begin(), lost.end(), [](double value) { return value == 0; })) return;
  if (bias_tensor < 0) bias_tensor = append_bias(graph, index, channels);
  std::vector<std::int32_t> levels;
  std::vector<float> bias_scales;
  for (std::int32_t c = 0; c < channels; ++c) {
    bias_scales.push_back(static_cast<float>(input_scale * scales[c]));
    const double real = (bias.empty() ? 0.0 : bias[c]) + lost[c];
    levels.push_back(static_cast<std::int32_t>(
        std::clamp(std::round(real / (input_scale * scales[c])), -2 * kBiasMax + 1, 2 * kBiasMax - 1)));
  }
  Tensor& target = graph.tensors[bias_tensor];
  target.dtype = DType::s32;
  target.data = as_bytes(levels);
  target.quantization = {bias_scales, std::vector<std::int32_t>(channels, 0), 0};
}

}  // namespace tinynas
