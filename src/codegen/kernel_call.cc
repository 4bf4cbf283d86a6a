#include "codegen/kernel_call.h"

#include <cstring>
#include <limits>

#include "graph/error.h"
#include "graph/interpreter.h"
#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas {
namespace {

template <class T>
std::vector<std::int64_t> read_values(const std::vector<std::uint8_t>& data) {
  std::vector<std::int64_t> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = value;
  }
  return values;
}

/// Input scale * weight scale / output scale. Fully connected layers with one weight scale multiply the first two in float,
/// as TensorFlow Lite does.
double effective_scale(const KernelRequest& request, std::size_t channel) {
  const auto& weights = input_of(request, 1).quantization.scale;
  const float in = scale_of(input_of(request)), out = scale_of(output_of(request));
  const float weight = weights.size() == 1 ? weights[0] : weights[channel];
  const bool in_float = weights.size() == 1 && std::holds_alternative<FullyConnected>(operator_of(request).kind);
  const double product = in_float ? static_cast<double>(in * weight) : static_cast<double>(in) * static_cast<double>(weight);
  return product / static_cast<double>(out);
}

/// Sum of the weights of every output channel: what the input's zero point is multiplied with.
std::vector<std::int64_t> channel_sums(const Tensor& weights, bool channels_last) {
  const auto values = constant_values(weights);
  const auto channels = static_cast<std::size_t>(channels_last ? weights.shape.back() : weights.shape.front());
  const std::size_t each = values.size() / channels;
  std::vector<std::int64_t> sums(channels, 0);
  for (std::size_t i = 0; i < values.size(); ++i) sums[channels_last ? i % channels : i / each] += values[i];
  return sums;
}

}  // namespace

void refuse(const KernelRequest& request, const std::string& expected, const std::string& got) {
  throw InputError("[codegen] " + operator_text(*request.graph, static_cast<std::size_t>(request.op)) + ": expected " +
                   expected + ", got " + got);
}

std::int32_t zero_point_of(const Tensor& tensor) {
  return tensor.quantization.zero_point.empty() ? 0 : tensor.quantization.zero_point.front();
}

float scale_of(const Tensor& tensor) {
  if (tensor.quantization.scale.empty()) {
    throw InputError("[codegen] tensor '" + tensor.name + "': expected a quantised tensor, got one without a scale");
  }
  return tensor.quantization.scale.front();
}

ClampRange type_range(const Tensor& tensor) { return {dtype_min(tensor.dtype), dtype_max(tensor.dtype)}; }

std::int32_t channels_of(const Tensor& tensor) { return tensor.shape.empty() ? 1 : tensor.shape.back(); }

std::int32_t columns_of(const Tensor& tensor) {
  const auto values = element_count(tensor.shape);
  return static_cast<std::int32_t>(values / row_count(tensor.shape) / channels_of(tensor));
}

std::vector<std::int64_t> constant_values(const Tensor& tensor) {
  if (tensor.data.empty()) {
    throw InputError("[codegen] constant '" + tensor.name + "': expected data, got a description of sizes only");
  }
  switch (tensor.dtype) {
    case DType::s8:
    case DType::s4:
      return read_values<std::int8_t>(unpack_values(tensor, tensor.data));
    case DType::s16:
      return read_values<std::int16_t>(tensor.data);
    case DType::s32:
      return read_values<std::int32_t>(tensor.data);
    default:
      throw InputError("[codegen] constant '" + tensor.name + "': expected s8, s4, s16 or s32, got " +
                       std::string(dtype_name(tensor.dtype)));
  }
}

void add_array(KernelCall& call, const std::string& field, ConstantArray array) {
  call.fields.push_back({field, "$" + array.name});
  call.arrays.push_back(std::move(array));
}

OutputStage output_stage_of(const KernelRequest& request) {
  const Operator& op = operator_of(request);
  const bool depthwise = std::holds_alternative<DepthwiseConv2D>(op.kind);
  const bool transposed = std::holds_alternative<TransposeConv>(op.kind);
  const auto sums = channel_sums(input_of(request, 1), depthwise);
  OutputStage stage;
  stage.bias.assign(sums.size(), 0);
  if (op.inputs.size() > 2 && op.inputs[2] >= 0) stage.bias = constant_values(input_of(request, 2));
  const std::int64_t zero_point = transposed ? 0 : zero_point_of(input_of(request));
  for (std::size_t c = 0; c < sums.size(); ++c) {
    // Sums wrap at 32 bits as the kernels' do.
    stage.bias[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(stage.bias[c] - zero_point * sums[c]));
    const auto fixed = quantize_multiplier(effective_scale(request, c));
    stage.multiplier.push_back(fixed.multiplier);
    stage.shift.push_back(fixed.shift);
  }
  const auto range = activation_range(fused_activation(op.kind), scale_of(output_of(request)),
                                      zero_point_of(output_of(request)), type_range(output_of(request)));
  stage.zero_point = zero_point_of(output_of(request));
  stage.low = range.low;
  stage.high = range.high;
  return stage;
}

void add_output_stage(KernelCall& call, const std::string& prefix, const KernelRequest& request) {
  OutputStage stage = output_stage_of(request);
  add_array(call, prefix + ".bias", {"bias", "int32_t", std::move(stage.bias)});
  add_array(call, prefix + ".multiplier", {"multiplier", "int32_t", std::move(stage.multiplier)});
  add_array(call, prefix + ".shift", {"shift", "int8_t", std::move(stage.shift), 1});
  add_field(call, prefix + ".zero_point", stage.zero_point);
  add_field(call, prefix + ".low", stage.low);
  add_field(call, prefix + ".high", stage.high);
}

void add_geometry(KernelCall& call, const std::string& prefix, const KernelRequest& request) {
  const auto kernel = *kernel_window(*request.graph, operator_of(request));
  const Window& window = kernel.window;
  const auto add = [&](const char* name, std::int32_t value) {
    if (value > std::numeric_limits<std::int16_t>::max())
      refuse(request, std::string(name) + " below 32768", std::to_string(value));
    add_field(call, prefix + "." + name, value);
  };
  add("kernel_h", kernel.kernel_h);
  add("kernel_w", kernel.kernel_w);
  add("stride_h", window.stride_h);
  add("stride_w", window.stride_w);
  add("dilation_h", window.dilation_h);
  add("dilation_w", window.dilation_w);
  add("pad_left", window.padding.left);
  add("input_w", input_of(request).shape[2]);
}

const KernelSet& kernels_for(tn_set set) {
  if (set == TN_SET_DSP) return dsp_kernels();
  if (set == TN_SET_THUMB2) return thumb2_kernels();
  return set == TN_SET_HELIUM ? helium_kernels() : portable_kernels();
}

}  // namespace tinynas
