// The DSP kernels: convolutions of int8 maps. Everything else, and what their bodies do not cover, is left to the portable
// set.
#include <algorithm>

#include "codegen/dsp_add.h"
#include "codegen/dsp_pack.h"
#include "codegen/kernel_call.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "oracle/rows.h"
#include "oracle/scratch.h"

namespace tinynas {
namespace {

/// Maps of int8; the second input, or the weights, of 8 bits or, where there is a body, of 4.
bool is_int8(const KernelRequest& request, bool four_bit_weights = false) {
  const DType second = input_of(request, 1).dtype;
  return input_of(request).dtype == DType::s8 && output_of(request).dtype == DType::s8 &&
         (second == DType::s8 || (four_bit_weights && second == DType::s4));
}

KernelCall dsp_call(const std::string& function, std::vector<std::string> sources) {
  KernelCall call;
  call.function = function;
  call.params_type = function + "_params";
  call.headers = {"tinynas/dsp.h"};
  for (auto& source : sources) call.sources.push_back("dsp/" + source);
  return call;
}

/// weights [output_c][runs * run_length] times tiles of pixels.
void add_matrix(KernelCall& call, const KernelRequest& request, std::int32_t runs, std::int32_t run_length,
                std::int32_t rows_at_once) {
  const auto values = constant_values(input_of(request, 1));
  const std::int32_t channels = channels_of(output_of(request));
  const std::int32_t bits = dtype_bits(input_of(request, 1).dtype);
  PackedMatrix packed = pack_matrix(values, runs, run_length, output_stage_of(request), {});
  if (bits == 4) packed = in_nibbles(packed);
  call.sources.insert(call.sources.end(), {"dsp/gather.S", "dsp/tile_nhwc.S"});
  if (bits == 4) call.sources.insert(call.sources.end(), {"dsp/tile_s4.c", "dsp/expand.S"});
  call.fields.push_back({"matrix.kernel", bits == 4 ? "tn_dsp_tile_s4" : "tn_dsp_tile_nhwc"});
  add_array(call, "matrix.weights", {"matrix", "uint32_t", packed.words});
  add_field(call, "matrix.steps", packed.steps);
  add_field(call, "matrix.pairs", packed.pairs);
  add_field(call, "matrix.stride", channels);
  add_field(call, "matrix.pixel_bytes", channels);
  add_field(call, "matrix.tile_pixels", tn_dsp_tile_pixels(packed.steps, call.columns, rows_at_once, bits));
}

struct DspChooser {
  const KernelRequest& request;

  std::optional<KernelCall> operator()(const Conv2D& op) const {
    const Shape &in = input_of(request).shape, &weights = input_of(request, 1).shape;
    if (!is_int8(request, true) || weights[3] != in[3] || op.window.dilation_w != 1) return std::nullopt;
    const bool pointwise = kernel_kind(*request.graph, operator_of(request)) == TN_KIND_POINTWISE;
    KernelCall call = pointwise ? dsp_call("tn_dsp_pointwise", {"pointwise.c"}) : dsp_call("tn_dsp_conv2d", {"conv2d.c"});
    call.columns = columns_of(output_of(request));
    add_matrix(call, request, weights[1], weights[2] * in[3], pointwise ? request.rows_at_once : 1);
    add_field(call, "input_c", in[3]);
    if (!pointwise) {
      add_geometry(call, "geometry", request);
      add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    }
    return call;
  }

  std::optional<KernelCall> operator()(const FullyConnected&) const {
    if (!is_int8(request, true)) return std::nullopt;
    KernelCall call = dsp_call("tn_dsp_pointwise", {"pointwise.c"});
    const bool in_rows = row_mode(*request.graph, operator_of(request)) == RowMode::rows;
    call.form = in_rows ? CallForm::rows : CallForm::whole;
    const Shape& weights = input_of(request, 1).shape;
    call.columns = static_cast<std::int32_t>(element_count(output_of(request).shape) / weights[0]);
    if (call.columns != 1) return std::nullopt;
    add_matrix(call, request, 1, weights[1], 1);
    add_field(call, "input_c", weights[1]);
    return call;
  }

  std::optional<KernelCall> operator()(const DepthwiseConv2D& op) const {
    const Shape &in = input_of(request).shape, &weights = input_of(request, 1).shape;
    const Window& w = op.window;
    const std::int32_t kernel = weights[1];
    const bool square = kernel == weights[2] && (kernel == 3 || kernel == 5 || kernel == 7) && w.stride_h == w.stride_w;
    const bool aligned = w.stride_h == 2 || (w.stride_h == 1 && (w.padding.left & 1) == (kernel == 5 ? 0 : 1));
    if (!is_int8(request, true) || request.in_place || !square || !aligned || w.dilation_h != 1 || w.dilation_w != 1 ||
        weights[3] != in[3] || in[3] < TN_DSP_STRIP_CHANNELS) {
      return std::nullopt;
    }
    const std::string name = std::to_string(kernel) + "x" + std::to_string(kernel) + "s" + std::to_string(w.stride_h);
    KernelCall call = dsp_call("tn_dsp_depthwise", {"depthwise.c", "unpack_nhwc.S", "lanes_slow.S", "lanes_" + name + ".S"});
    call.columns = columns_of(output_of(request));
    const DepthwiseShape shape{kernel, w.stride_h, (w.padding.left & 1) != 0};
    call.fields.push_back({"kernel", "tn_dsp_lanes_" + name});
    add_array(call, "weights",
              {"lanes", "uint32_t", pack_depthwise(constant_values(input_of(request, 1)), shape, output_stage_of(request))});
    add_field(call, "channel_words", depthwise_channel_words(shape));
    add_field(call, "kernel_size", kernel);
    add_field(call, "stride", w.stride_h);
    add_field(call, "pad_left", w.padding.left);
    add_field(call, "input_w", in[2]);
    add_field(call, "channels", in[3]);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    return call;
  }

  std::optional<KernelCall> operator()(const Add& op) const {
    const Tensor &first = input_of(request, 0), &second = input_of(request, 1), &output = output_of(request);
    if (!is_int8(request) || first.shape != output.shape || second.shape != output.shape) return std::nullopt;
    if (row_mode(*request.graph, operator_of(request)) != RowMode::rows) return std::nullopt;
    const auto range = activation_range(op.activation, scale_of(output), zero_point_of(output), ClampRange{-128, 127});
    if (range.low != -128 || range.high != 127) return std::nullopt;
    const auto a = static_cast<double>(scale_of(first)), b = static_cast<double>(scale_of(second)),
               c = static_cast<double>(scale_of(output));
    const double twice = 2 * std::max(a, b);
    const AddArithmetic add{quantize_multiplier(a / twice),
                            quantize_multiplier(b / twice),
                            quantize_multiplier(twice / (static_cast<double>(1 << 20) * c)),
                            zero_point_of(first),
                            zero_point_of(second),
                            zero_point_of(output)};
    const auto constants = fit_add(add, a / c, b / c);
    if (!constants) return std::nullopt;
    KernelCall call = dsp_call("tn_dsp_add", {"elementwise.c", "add.S"});
    call.columns = columns_of(output);
    for (std::size_t i = 0; i < constants->size(); ++i)
      add_field(call, "constants[" + std::to_string(i) + "]", (*constants)[i]);
    add_field(call, "channels", channels_of(output));
    return call;
  }

  template <class Other>
  std::optional<KernelCall> operator()(const Other&) const {
    return std::nullopt;
  }
};

class DspKernels final : public KernelSet {
 public:
  [[nodiscard]] tn_set id() const override { return TN_SET_DSP; }

  [[nodiscard]] std::optional<KernelCall> choose(const KernelRequest& request) const override {
    if (request.input.layout != Layout::nhwc || request.output.layout != Layout::nhwc) return std::nullopt;
    auto call = std::visit(DspChooser{request}, operator_of(request).kind);
    if (call) {
      const auto shape = kernel_shape(*request.graph, operator_of(request), request.rows_at_once);
      call->scratch_bytes = tn_scratch_dsp(kernel_kind(*request.graph, operator_of(request)), &shape);
    }
    return call;
  }
};

}  // namespace

const KernelSet& dsp_kernels() {
  static const DspKernels set;
  return set;
}

}  // namespace tinynas
