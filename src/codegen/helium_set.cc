// The Helium kernels: convolutions of int8 maps with 16 or 4 lanes. Cores with MVE also have the DSP instructions, so what
// has no body here runs the DSP set's.
#include <algorithm>

#include "codegen/kernel_call.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "oracle/rows.h"
#include "oracle/scratch.h"

namespace tinynas {
namespace {

bool is_int8(const KernelRequest& request) {
  return input_of(request).dtype == DType::s8 && output_of(request).dtype == DType::s8 &&
         input_of(request, 1).dtype == DType::s8;
}

KernelCall helium_call(const std::string& function, const std::vector<std::string>& sources) {
  KernelCall call;
  call.function = function;
  call.params_type = function + "_params";
  call.headers = {"tinynas/helium.h"};
  for (const auto& source : sources) call.sources.push_back("helium/" + source);
  return call;
}

void add_clamp(KernelCall& call, const std::string& prefix, const OutputStage& stage) {
  add_field(call, prefix + "zero_point", stage.zero_point);
  add_field(call, prefix + "low", stage.low);
  add_field(call, prefix + "high", stage.high);
}

/// The stream of helium/block.S: of every pair of channels biases, steps of 16 weights of each, requantisation.
std::vector<std::int64_t> pack_stream(const std::vector<std::int64_t>& weights, std::size_t length,
                                      const OutputStage& stage) {
  const auto word = [](std::int64_t value) { return static_cast<std::int64_t>(static_cast<std::uint32_t>(value)); };
  const std::size_t channels = stage.bias.size();
  const auto weight = [&](std::size_t c, std::size_t i) {
    return c < channels && i < length ? weights[c * length + i] & 0xff : 0;
  };
  const auto constant = [&](const std::vector<std::int64_t>& values, std::size_t c) { return c < channels ? values[c] : 0; };
  std::vector<std::int64_t> stream;
  for (std::size_t c = 0; c < channels; c += 2) {
    for (std::size_t k = c; k < c + 2; ++k) stream.push_back(word(constant(stage.bias, k)));
    for (std::size_t i = 0; i < length; i += 16) {
      for (std::size_t k = c; k < c + 2; ++k) {
        for (std::size_t j = i; j < i + 16; j += 4) {
          stream.push_back(weight(k, j) | weight(k, j + 1) << 8 | weight(k, j + 2) << 16 | weight(k, j + 3) << 24);
        }
      }
    }
    for (std::size_t k = c; k < c + 2; ++k) {
      const auto shift = constant(stage.shift, k);
      stream.push_back(word(constant(stage.multiplier, k)));
      stream.push_back(word(std::max<std::int64_t>(shift, 0)));
      stream.push_back(word(std::min<std::int64_t>(shift, 0)));
    }
  }
  return stream;
}

void add_matrix(KernelCall& call, const KernelRequest& request, std::int32_t length) {
  const OutputStage stage = output_stage_of(request);
  const auto stream = pack_stream(constant_values(input_of(request, 1)), static_cast<std::size_t>(length), stage);
  add_array(call, "matrix.stream", {"stream", "uint32_t", stream});
  add_field(call, "matrix.length", length);
  add_field(call, "matrix.output_c", channels_of(output_of(request)));
  add_clamp(call, "matrix.", stage);
}

struct HeliumChooser {
  const KernelRequest& request;

  std::optional<KernelCall> operator()(const Conv2D&) const {
    const Shape &in = input_of(request).shape, &weights = input_of(request, 1).shape;
    if (!is_int8(request) || weights[3] != in[3]) return std::nullopt;
    const bool pointwise = kernel_kind(*request.graph, operator_of(request)) == TN_KIND_POINTWISE;
    const std::int32_t length = weights[1] * weights[2] * weights[3];
    KernelCall call = pointwise ? helium_call("tn_helium_pointwise", {"pointwise.c", "multiply.c", "block.S"})
                                : helium_call("tn_helium_conv2d", {"conv2d.c", "multiply.c", "block.S"});
    call.columns = columns_of(output_of(request));
    add_matrix(call, request, length);
    if (pointwise) return call;
    add_geometry(call, "geometry", request);
    add_field(call, "input_c", in[3]);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    add_field(call, "windows", tn_helium_windows(length, call.columns));
    return call;
  }

  std::optional<KernelCall> operator()(const FullyConnected&) const {
    if (!is_int8(request)) return std::nullopt;
    KernelCall call = helium_call("tn_helium_pointwise", {"pointwise.c", "multiply.c", "block.S"});
    call.form = row_mode(*request.graph, operator_of(request)) == RowMode::rows ? CallForm::rows : CallForm::whole;
    const Shape& weights = input_of(request, 1).shape;
    call.columns = static_cast<std::int32_t>(element_count(output_of(request).shape) / weights[0]);
    add_matrix(call, request, weights[1]);
    return call;
  }

  std::optional<KernelCall> operator()(const DepthwiseConv2D&) const {
    if (!is_int8(request) || request.in_place || input_of(request, 1).shape[3] != input_of(request).shape[3])
      return std::nullopt;
    const OutputStage stage = output_stage_of(request);
    std::vector<std::int64_t> constants = stage.bias;
    constants.insert(constants.end(), stage.multiplier.begin(), stage.multiplier.end());
    for (const auto shift : stage.shift) constants.push_back(std::max<std::int64_t>(shift, 0));
    for (const auto shift : stage.shift) constants.push_back(std::min<std::int64_t>(shift, 0));
    KernelCall call = helium_call("tn_helium_depthwise", {"depthwise.c"});
    call.columns = columns_of(output_of(request));
    add_geometry(call, "geometry", request);
    add_array(call, "weights", {"weights", "int8_t", constant_values(input_of(request, 1))});
    add_array(call, "constants", {"constants", "int32_t", constants});
    add_field(call, "channels", channels_of(output_of(request)));
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    add_clamp(call, "", stage);
    return call;
  }

  template <class Other>
  std::optional<KernelCall> operator()(const Other&) const {
    return std::nullopt;
  }
};

class HeliumKernels final : public KernelSet {
 public:
  [[nodiscard]] tn_set id() const override { return TN_SET_HELIUM; }

  [[nodiscard]] std::optional<KernelCall> choose(const KernelRequest& request) const override {
    if (request.input.layout != Layout::nhwc || request.output.layout != Layout::nhwc) return std::nullopt;
    // The DSP strips outrun four lanes; the Helium body takes the depthwise shapes that they do not cover.
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(operator_of(request).kind);
    auto call = depthwise ? dsp_kernels().choose(request) : std::visit(HeliumChooser{request}, operator_of(request).kind);
    if (call && depthwise) return call;
    call = depthwise ? std::visit(HeliumChooser{request}, operator_of(request).kind) : call;
    if (!call) return dsp_kernels().choose(request);
    const auto shape = kernel_shape(*request.graph, operator_of(request), request.rows_at_once);
    call->scratch_bytes = tn_scratch_helium(kernel_kind(*request.graph, operator_of(request)), &shape);
    return call;
  }
};

}  // namespace

const KernelSet& helium_kernels() {
  static const HeliumKernels set;
  return set;
}

}  // namespace tinynas
