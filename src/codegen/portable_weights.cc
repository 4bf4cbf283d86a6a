// Portable calls of convolutions and fully connected layers.
#include <algorithm>

#include "codegen/portable_calls.h"
#include "codegen/portable_s4.h"
#include "graph/shape.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

ConstantArray weights_array(const KernelRequest& request) {
  const Tensor& weights = input_of(request, 1);
  if (!weights.constant) refuse(request, "constant weights", "computed ones");
  return {"weights", "int8_t", constant_values(weights)};
}

/// Multiplication with matrix.c's blocks of channels; other kernel sets put a body of their own into the field `kernel`.
KernelCall make_matrix_call(const std::string& name, std::int32_t groups, const KernelRequest& request) {
  KernelCall call = make_call("tn_" + name, "tn_" + name + "_params", "window.h", name + ".c");
  call.sources.emplace_back("portable/matrix.c");
  call.fields.push_back({"kernel", "tn_blocks"});
  ConstantArray weights = weights_array(request);
  weights.values = in_blocks(weights.values, input_of(request, 1).shape[0], groups, input_of(request, 1).dtype == DType::s4);
  add_array(call, "weights", std::move(weights));
  add_output_stage(call, "stage", request);
  return call;
}

}  // namespace

std::vector<std::int64_t> in_blocks(const std::vector<std::int64_t>& weights, std::int32_t channels, std::int32_t groups,
                                    bool nibbles) {
  constexpr std::size_t kBlock = 4;
  const auto each = static_cast<std::size_t>(channels / groups);
  const std::size_t depth = weights.size() / static_cast<std::size_t>(channels);
  std::vector<std::int64_t> blocked, entry;
  blocked.reserve(weights.size());
  for (std::size_t group = 0; group < static_cast<std::size_t>(groups); ++group) {
    for (std::size_t first = 0; first < each; first += kBlock) {
      const std::size_t count = std::min(kBlock, each - first);
      for (std::size_t i = 0; i < depth; ++i) {
        entry.clear();
        for (std::size_t c = 0; c < count; ++c) entry.push_back(weights[(group * each + first + c) * depth + i]);
        if (nibbles) entry = pack_nibbles(entry);
        blocked.insert(blocked.end(), entry.begin(), entry.end());
      }
    }
  }
  return blocked;
}

std::vector<std::int64_t> transposed(const std::vector<std::int64_t>& values, std::int32_t columns) {
  const auto width = static_cast<std::size_t>(columns), height = values.size() / width;
  std::vector<std::int64_t> result;
  result.reserve(values.size());
  for (std::size_t column = 0; column < width; ++column) {
    for (std::size_t row = 0; row < height; ++row) result.push_back(values[row * width + column]);
  }
  return result;
}

KernelCall portable_call(const KernelRequest& request, const Conv2D&) {
  need_int8(request);
  const Tensor& weights = input_of(request, 1);
  const bool pointwise = kernel_kind(*request.graph, operator_of(request)) == TN_KIND_POINTWISE;
  const std::int32_t in_c = input_of(request).shape[3], groups = in_c / weights.shape[3];
  KernelCall call = make_matrix_call(pointwise ? "pointwise" : "conv2d", groups, request);
  add_field(call, "input_c", in_c);
  add_field(call, "output_c", weights.shape[0]);
  if (!pointwise) {
    add_geometry(call, "geometry", request);
    add_field(call, "groups", groups);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
  }
  call.columns = columns_of(output_of(request));
  return call;
}

KernelCall portable_call(const KernelRequest& request, const DepthwiseConv2D& op) {
  need_int8(request);
  const std::string prefix = request.in_place ? "depthwise." : "";
  KernelCall call = request.in_place ? make_call("tn_depthwise_in_place", "tn_depthwise_in_place_params", "window.h",
                                                 "depthwise_in_place.c")
                                     : make_call("tn_depthwise", "tn_depthwise_params", "window.h", "depthwise.c");
  add_geometry(call, prefix + "geometry", request);
  ConstantArray weights = weights_array(request);
  if (input_of(request, 1).dtype == DType::s4) weights.values = pack_nibbles(weights.values);
  add_array(call, prefix + "weights", std::move(weights));
  add_output_stage(call, prefix + "stage", request);
  const Shape &in = input_of(request).shape, &out = output_of(request).shape;
  add_field(call, prefix + "input_c", in[3]);
  add_field(call, prefix + "channel_multiplier", out[3] / in[3]);
  add_field(call, prefix + "input_zero_point", zero_point_of(input_of(request)));
  call.columns = out[2];
  if (request.in_place) {
    call.form = CallForm::whole;
    add_field(call, "input_h", in[1]);
    add_field(call, "output_h", out[1]);
    add_field(call, "output_w", out[2]);
    add_field(call, "pad_top", op.window.padding.top);
    add_field(call, "pad_bottom", op.window.padding.bottom);
    add_field(call, "pad_right", op.window.padding.right);
  }
  return call;
}

KernelCall portable_call(const KernelRequest& request, const TransposeConv& op) {
  need_int8(request);
  if (op.window.dilation_h != 1 || op.window.dilation_w != 1)
    refuse(request, "no dilation", "a dilated transposed convolution");
  KernelCall call = make_call("tn_transpose_conv", "tn_transpose_conv_params", "window.h", "transpose_conv.c");
  call.form = CallForm::whole;
  add_geometry(call, "geometry", request);
  add_array(call, "weights", weights_array(request));
  add_output_stage(call, "stage", request);
  const Shape &in = input_of(request).shape, &out = output_of(request).shape;
  add_field(call, "input_h", in[1]);
  add_field(call, "input_c", in[3]);
  add_field(call, "output_h", out[1]);
  add_field(call, "output_w", out[2]);
  add_field(call, "output_c", out[3]);
  add_field(call, "pad_top", op.window.padding.top);
  add_field(call, "input_zero_point", zero_point_of(input_of(request)));
  return call;
}

KernelCall portable_call(const KernelRequest& request, const FullyConnected&) {
  need_int8(request);
  KernelCall call = make_matrix_call("pointwise", 1, request);
  call.form = in_rows(request) ? CallForm::rows : CallForm::whole;
  const Shape& weights = input_of(request, 1).shape;
  add_field(call, "input_c", weights[1]);
  add_field(call, "output_c", weights[0]);
  call.columns = static_cast<std::int32_t>(element_count(output_of(request).shape) / weights[0]);
  return call;
}

}  // namespace tinynas
