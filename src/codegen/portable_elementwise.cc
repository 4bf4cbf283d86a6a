// Portable calls of operators that work value by value or pixel by pixel.
#include <algorithm>
#include <cmath>

#include "codegen/lookup.h"
#include "codegen/portable_calls.h"
#include "graph/shape.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

/// Element strides of an operand that numpy's rules broadcast to the output's rows.
struct Broadcast {
  std::int32_t pixel_stride = 0, channel_stride = 0;
};

Broadcast broadcast_of(const KernelRequest& request, std::size_t position) {
  const Shape& out = output_of(request).shape;
  Shape shape = input_of(request, position).shape;
  shape.insert(shape.begin(), out.size() - std::min(shape.size(), out.size()), 1);
  Broadcast b;
  const std::int32_t channels = shape.empty() ? 1 : shape.back();
  b.channel_stride = channels > 1 ? 1 : 0;
  // Dimensions that a row of pixels runs over: the columns of a map; everything but the channels otherwise.
  const std::size_t first = out.size() == 4 && row_mode(*request.graph, operator_of(request)) == RowMode::rows ? 2 : 0;
  bool equal = true, ones = true;
  for (std::size_t d = first; d + 1 < out.size(); ++d) {
    equal = equal && shape[d] == out[d];
    ones = ones && shape[d] == 1;
  }
  if (!equal && !ones) refuse(request, "broadcasting of whole pixels or rows", shape_text(shape) + " to " + shape_text(out));
  b.pixel_stride = ones ? 0 : channels;
  return b;
}

KernelCall elementwise(const KernelRequest& request, KernelCall call) {
  call.form = row_mode(*request.graph, operator_of(request)) == RowMode::rows ? CallForm::rows : CallForm::whole;
  const Tensor& output = output_of(request);
  call.columns = columns_of(output) * (call.form == CallForm::whole ? row_count(output.shape) : 1);
  return call;
}

void add_operands(KernelCall& call, const KernelRequest& request) {
  const char* names[] = {"first", "second"};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto b = broadcast_of(request, i);
    add_field(call, std::string(names[i]) + ".pixel_stride", b.pixel_stride);
    add_field(call, std::string(names[i]) + ".channel_stride", b.channel_stride);
    add_field(call, std::string(names[i]) + "_zero_point", zero_point_of(input_of(request, i)));
  }
  add_field(call, "channels", channels_of(output_of(request)));
  add_field(call, "output_zero_point", zero_point_of(output_of(request)));
}

void add_multiplier(KernelCall& call, const std::string& prefix, double real) {
  const auto fixed = quantize_multiplier(real);
  add_field(call, prefix + "multiplier", fixed.multiplier);
  add_field(call, prefix + "shift", fixed.shift);
}

KernelCall table(const KernelRequest& request) {
  KernelCall call = elementwise(request, make_call("tn_lookup", "tn_lookup_params", "elementwise.h", "elementwise.c"));
  add_array(call, "table", {"table", "uint8_t", lookup_table(request)});
  add_field(call, "values", channels_of(output_of(request)));
  return call;
}

KernelCall conversion(const KernelRequest& request, const std::string& function, const Tensor& quantized) {
  if (quantized.dtype != DType::s8) refuse(request, "an int8 tensor", std::string(dtype_name(quantized.dtype)));
  KernelCall call = elementwise(request, make_call(function, "tn_convert_params", "elementwise.h", "convert.c"));
  call.fields.push_back({"scale", float_text(scale_of(quantized))});
  add_field(call, "zero_point", zero_point_of(quantized));
  add_field(call, "values", channels_of(quantized));
  return call;
}

}  // namespace

KernelCall portable_call(const KernelRequest& request, const Add& op) {
  need_int8(request);
  KernelCall call = elementwise(request, make_call("tn_add", "tn_add_params", "elementwise.h", "elementwise.c"));
  add_operands(call, request);
  const auto first = static_cast<double>(scale_of(input_of(request, 0)));
  const auto second = static_cast<double>(scale_of(input_of(request, 1)));
  const double twice = 2 * std::max(first, second);
  add_multiplier(call, "first_", first / twice);
  add_multiplier(call, "second_", second / twice);
  add_multiplier(call, "output_",
                 twice / (static_cast<double>(1 << 20) * static_cast<double>(scale_of(output_of(request)))));
  add_range(call, request, op.activation);
  return call;
}

KernelCall portable_call(const KernelRequest& request, const Mul& op) {
  need_int8(request);
  KernelCall call = elementwise(request, make_call("tn_mul", "tn_mul_params", "elementwise.h", "elementwise.c"));
  add_operands(call, request);
  const auto product =
      static_cast<double>(scale_of(input_of(request, 0))) * static_cast<double>(scale_of(input_of(request, 1)));
  add_multiplier(call, "output_", product / static_cast<double>(scale_of(output_of(request))));
  add_range(call, request, op.activation);
  return call;
}

KernelCall portable_call(const KernelRequest& request, const Softmax& op) {
  need_int8(request);
  const Tensor& output = output_of(request);
  if (scale_of(output) != 1.0F / 256.0F || zero_point_of(output) != -128) {
    refuse(request, "an output of scale 1/256 and zero point -128", std::to_string(scale_of(output)));
  }
  constexpr std::int32_t kIntegerBits = 5;
  KernelCall call = elementwise(request, make_call("tn_softmax", "tn_softmax_params", "reduce.h", "softmax.c"));
  const double real = std::min(static_cast<double>(op.beta) * static_cast<double>(scale_of(input_of(request))) *
                                   static_cast<double>(1 << (31 - kIntegerBits)),
                               static_cast<double>((std::int64_t{1} << 31) - 1));
  const auto fixed = quantize_multiplier(real);
  // The greatest distance that the fixed point can still hold: ((2^5 - 1) * 2^26) / 2^shift.
  const double radius = std::floor(static_cast<double>(((1 << kIntegerBits) - 1)) *
                                   static_cast<double>(1LL << (31 - kIntegerBits)) / std::ldexp(1.0, fixed.shift));
  add_field(call, "depth", channels_of(output));
  add_field(call, "multiplier", fixed.multiplier);
  add_field(call, "shift", fixed.shift);
  add_field(call, "difference_min", -static_cast<std::int64_t>(std::min(radius, 1.0e6)));
  return call;
}

KernelCall portable_call(const KernelRequest& request, const Logistic&) { return table(request); }

KernelCall portable_call(const KernelRequest& request, const Tanh&) { return table(request); }

KernelCall portable_call(const KernelRequest& request, const HardSwish&) { return table(request); }

KernelCall portable_call(const KernelRequest& request, const LeakyRelu&) { return table(request); }

KernelCall portable_call(const KernelRequest& request, const PRelu&) {
  need_int8(request);
  const Tensor &input = input_of(request), &alpha = input_of(request, 1), &output = output_of(request);
  if (!alpha.constant || element_count(alpha.shape) != channels_of(output)) {
    refuse(request, "one constant slope per channel", shape_text(alpha.shape));
  }
  KernelCall call = elementwise(request, make_call("tn_prelu", "tn_prelu_params", "elementwise.h", "elementwise.c"));
  add_array(call, "alpha", {"alpha", "int8_t", constant_values(alpha)});
  add_field(call, "channels", channels_of(output));
  add_field(call, "input_zero_point", zero_point_of(input));
  add_field(call, "alpha_zero_point", zero_point_of(alpha));
  add_field(call, "output_zero_point", zero_point_of(output));
  const auto in = static_cast<double>(scale_of(input)), out = static_cast<double>(scale_of(output));
  add_multiplier(call, "identity_", in / out);
  add_multiplier(call, "slope_", in * static_cast<double>(scale_of(alpha)) / out);
  return call;
}

KernelCall portable_call(const KernelRequest& request, const Quantize&) {
  if (input_of(request).dtype != DType::f32) return table(request);
  return conversion(request, "tn_quantize_f32", output_of(request));
}

KernelCall portable_call(const KernelRequest& request, const Dequantize&) {
  return conversion(request, "tn_dequantize_f32", input_of(request));
}

}  // namespace tinynas
