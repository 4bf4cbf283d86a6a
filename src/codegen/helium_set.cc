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

  std::optional<KernelCall> operator()(const DepthwiseConv2D& op) const {
    if (auto lanes = depthwise_lanes(op)) return lanes;
    if (auto strips = dsp_kernels().choose(request)) return strips;
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

  /// Channels in the lanes over padded copies of the rows; nullopt where the shape does not allow that.
  [[nodiscard]] std::optional<KernelCall> depthwise_lanes(const DepthwiseConv2D& op) const {
    const Shape &in = input_of(request).shape, &shape = input_of(request, 1).shape;
    const Window& w = op.window;
    const std::int32_t channels = in[3], taps = shape[1] * shape[2];
    if (!is_int8(request) || request.in_place || shape[3] != channels || channels % 4 != 0 || w.dilation_h != 1 ||
        w.dilation_w != 1 || w.stride_h != w.stride_w || w.stride_h > 2) {
      return std::nullopt;
    }
    const OutputStage stage = output_stage_of(request);
    const auto weights = constant_values(input_of(request, 1));
    std::vector<std::int64_t> packed, constants;
    for (std::int32_t c = 0; c < channels; c += 16) {
      for (std::int32_t t = 0; t < taps; ++t) {
        for (std::int32_t k = c; k < c + 16; ++k) {
          packed.push_back(k < channels ? weights[static_cast<std::size_t>(t * channels + k)] : 0);
        }
      }
    }
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); c += 4) {
      for (std::size_t k = c; k < c + 4; ++k) constants.push_back(stage.bias[k]);
      for (std::size_t k = c; k < c + 4; ++k) constants.push_back(std::max<std::int64_t>(stage.shift[k], 0));
      for (std::size_t k = c; k < c + 4; ++k) constants.push_back(stage.multiplier[k]);
      for (std::size_t k = c; k < c + 4; ++k) constants.push_back(std::min<std::int64_t>(stage.shift[k], 0));
    }
    KernelCall call = helium_call("tn_helium_depthwise_lanes", {"depthwise_lanes.c", "lanes.S"});
    call.columns = columns_of(output_of(request));
    const std::int32_t columns = tn_helium_lane_columns(shape[2], w.stride_w, call.columns);
    call.fields.push_back({"kernel", "tn_helium_lanes_s" + std::to_string(w.stride_h)});
    add_geometry(call, "geometry", request);
    add_array(call, "weights", {"weights", "int8_t", packed, 8});
    add_array(call, "constants", {"constants", "int32_t", constants, 8});
    add_field(call, "channels", channels);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    add_clamp(call, "", stage);
    add_field(call, "columns", columns);
    add_field(call, "rows", tn_helium_lane_rows(shape[1], w.stride_h, columns, request.rows_at_once));
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
    if (request.input != Layout::nhwc || request.output != Layout::nhwc) return std::nullopt;
    auto call = std::visit(HeliumChooser{request}, operator_of(request).kind);
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
