// The portable kernels: every operator, nhwc rows only.
#include <algorithm>
#include <numeric>

#include "codegen/kernel_call.h"
#include "codegen/lookup.h"
#include "codegen/portable_s4.h"
#include "graph/formats.h"
#include "graph/operators.h"
#include "graph/resize.h"
#include "graph/shape.h"
#include "oracle/rows.h"
#include "oracle/scratch.h"

namespace tinynas {
namespace {

std::int32_t value_size(const Tensor& tensor) { return dtype_bits(tensor.dtype) / 8; }

KernelCall make_call(const std::string& function, const std::string& params, const std::string& header,
                     const std::string& source) {
  KernelCall call;
  call.function = function;
  call.params_type = params;
  call.headers = {"tinynas/" + header};
  call.sources = {"portable/" + source};
  for (const char* finishing : {"pointwise.c", "conv2d.c", "depthwise.c"}) {
    if (source == finishing) call.sources.emplace_back("portable/finish.c");
  }
  return call;
}

ConstantArray weights_array(const KernelRequest& request) {
  const Tensor& weights = input_of(request, 1);
  if (!weights.constant) refuse(request, "constant weights", "computed ones");
  return {"weights", "int8_t", constant_values(weights)};
}

/// Weights [channels][depth] in blocks of four channels, block[depth][channels of the block], each group by itself.
ConstantArray blocked_weights(const KernelRequest& request, std::int32_t groups) {
  constexpr std::size_t kBlock = 4;
  ConstantArray array = weights_array(request);
  const auto channels = static_cast<std::size_t>(input_of(request, 1).shape[0] / groups);
  const std::size_t depth = array.values.size() / (channels * static_cast<std::size_t>(groups));
  const bool packed = input_of(request, 1).dtype == DType::s4;
  std::vector<std::int64_t> blocked, entry;
  blocked.reserve(array.values.size());
  for (std::size_t group = 0; group < static_cast<std::size_t>(groups); ++group) {
    for (std::size_t first = 0; first < channels; first += kBlock) {
      const std::size_t count = std::min(kBlock, channels - first);
      for (std::size_t i = 0; i < depth; ++i) {
        entry.clear();
        for (std::size_t c = 0; c < count; ++c) entry.push_back(array.values[((group * channels) + first + c) * depth + i]);
        if (packed) entry = pack_nibbles(entry);
        blocked.insert(blocked.end(), entry.begin(), entry.end());
      }
    }
  }
  array.values = std::move(blocked);
  return array;
}

/// Tensors of int8; where the operator has a body for them also such of 4 bits.
void need_int8(const KernelRequest& request) {
  const Operator& op = operator_of(request);
  const bool weighted = has_weights(op);
  std::vector<const Tensor*> tensors = {&output_of(request)};
  for (std::size_t i = 0; i < (weighted ? 2 : op.inputs.size()); ++i) tensors.push_back(&input_of(request, i));
  for (const Tensor* tensor : tensors) {
    const bool four = tensor->dtype == DType::s4 && takes_four_bits(request);
    if (tensor->dtype == DType::s8 || four) continue;
    refuse(request, takes_four_bits(request) ? "tensors of 8 or 4 bits" : "tensors of 8 bits",
           std::string(dtype_name(tensor->dtype)) + " '" + tensor->name + "'");
  }
}

/// Operators that move values of any type, byte by byte.
void need_whole_bytes(const KernelRequest& request) {
  if (output_of(request).dtype == DType::s4)
    refuse(request, "values of whole bytes", "s4 '" + output_of(request).name + "'");
}

void need_same_quantization(const KernelRequest& request, const Tensor& input) {
  const Tensor& output = output_of(request);
  const bool same = input.dtype == output.dtype && input.quantization.scale == output.quantization.scale &&
                    input.quantization.zero_point == output.quantization.zero_point;
  if (!same) refuse(request, "input '" + input.name + "' in the output's quantisation", "another one");
}

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

void add_range(KernelCall& call, const KernelRequest& request, Activation activation) {
  const Tensor& output = output_of(request);
  const auto range = activation_range(activation, scale_of(output), zero_point_of(output), type_range(output));
  add_field(call, "low", range.low);
  add_field(call, "high", range.high);
}

void add_multiplier(KernelCall& call, const std::string& prefix, double real) {
  const auto fixed = quantize_multiplier(real);
  add_field(call, prefix + "multiplier", fixed.multiplier);
  add_field(call, prefix + "shift", fixed.shift);
}

/// A tensor seen as [outer][reduced][inner] around consecutive axes.
struct ReductionShape {
  std::int32_t outer = 1, reduced = 1, inner = 1;
};

ReductionShape reduction_shape(const KernelRequest& request, std::vector<std::int32_t> axes) {
  const Shape& shape = input_of(request).shape;
  for (auto& axis : axes) axis = resolve_axis(axis, shape.size(), "[codegen]");
  std::sort(axes.begin(), axes.end());
  ReductionShape r;
  for (std::int32_t d = 0; d < static_cast<std::int32_t>(shape.size()); ++d) {
    auto& part = d < axes.front() ? r.outer : (d > axes.back() ? r.inner : r.reduced);
    part *= shape[static_cast<std::size_t>(d)];
    const bool gap = d >= axes.front() && d <= axes.back() && std::find(axes.begin(), axes.end(), d) == axes.end();
    if (gap && shape[static_cast<std::size_t>(d)] != 1)
      refuse(request, "a reduction over neighbouring axes", shape_text(axes));
  }
  return r;
}

KernelCall reduction(const KernelRequest& request, const std::string& function, const std::vector<std::int32_t>& axes) {
  KernelCall call = make_call(function, "tn_reduce_params", "reduce.h", "reduce.c");
  call.form = CallForm::whole;
  const auto shape = reduction_shape(request, axes);
  add_field(call, "outer", shape.outer);
  add_field(call, "reduced", shape.reduced);
  add_field(call, "inner", shape.inner);
  return call;
}

/// TensorFlow Lite's MEAN: the division by the count goes into the multiplier, with as many bits as it can take.
QuantizedMultiplier mean_multiplier(const KernelRequest& request, std::int32_t count) {
  auto fixed = quantize_multiplier(static_cast<double>(scale_of(input_of(request))) /
                                   static_cast<double>(scale_of(output_of(request))));
  std::int32_t bits = 0;
  while ((std::int64_t{2} << bits) <= count) ++bits;
  bits = std::min({bits, 32, 31 + fixed.shift});
  fixed.multiplier = static_cast<std::int32_t>((std::int64_t{fixed.multiplier} << bits) / count);
  fixed.shift -= bits;
  return fixed;
}

/// A reduction over the whole map, fed by rows.
KernelCall accumulation(const KernelRequest& request, const std::string& start, const std::string& row,
                        const std::string& finish) {
  KernelCall call = make_call(row, "tn_sum_params", "reduce.h", "sum.c");
  call.form = CallForm::accumulate;
  call.start = start;
  call.finish = finish;
  const Shape& shape = input_of(request).shape;
  add_field(call, "channels", shape.back());
  add_field(call, "width", shape[2]);
  add_field(call, "count", std::int64_t{shape[1]} * shape[2]);
  return call;
}

struct Chooser {
  const KernelRequest& request;

  [[nodiscard]] bool in_rows() const { return row_mode(*request.graph, operator_of(request)) == RowMode::rows; }

  KernelCall operator()(const Conv2D&) const {
    need_int8(request);
    const Tensor& weights = input_of(request, 1);
    const bool pointwise = kernel_kind(*request.graph, operator_of(request)) == TN_KIND_POINTWISE;
    KernelCall call = pointwise ? make_call("tn_pointwise", "tn_pointwise_params", "window.h", "pointwise.c")
                                : make_call("tn_conv2d", "tn_conv2d_params", "window.h", "conv2d.c");
    if (!pointwise) add_geometry(call, "geometry", request);
    const std::int32_t in_c = input_of(request).shape[3];
    add_array(call, "weights", blocked_weights(request, in_c / weights.shape[3]));
    add_output_stage(call, "stage", request);
    add_field(call, "input_c", in_c);
    add_field(call, "output_c", weights.shape[0]);
    if (!pointwise) {
      add_field(call, "groups", in_c / weights.shape[3]);
      add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    }
    call.columns = columns_of(output_of(request));
    return call;
  }

  KernelCall operator()(const DepthwiseConv2D& op) const {
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

  KernelCall operator()(const TransposeConv& op) const {
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

  KernelCall operator()(const FullyConnected&) const {
    need_int8(request);
    KernelCall call = make_call("tn_pointwise", "tn_pointwise_params", "window.h", "pointwise.c");
    call.form = in_rows() ? CallForm::rows : CallForm::whole;
    add_array(call, "weights", blocked_weights(request, 1));
    add_output_stage(call, "stage", request);
    const Shape& weights = input_of(request, 1).shape;
    add_field(call, "input_c", weights[1]);
    add_field(call, "output_c", weights[0]);
    call.columns = static_cast<std::int32_t>(element_count(output_of(request).shape) / weights[0]);
    return call;
  }

  KernelCall operator()(const Add& op) const {
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

  KernelCall operator()(const Mul& op) const {
    need_int8(request);
    KernelCall call = elementwise(request, make_call("tn_mul", "tn_mul_params", "elementwise.h", "elementwise.c"));
    add_operands(call, request);
    const auto product =
        static_cast<double>(scale_of(input_of(request, 0))) * static_cast<double>(scale_of(input_of(request, 1)));
    add_multiplier(call, "output_", product / static_cast<double>(scale_of(output_of(request))));
    add_range(call, request, op.activation);
    return call;
  }

  KernelCall operator()(const AveragePool& op) const {
    need_int8(request);
    need_same_quantization(request, input_of(request));
    if (request.accumulates) {
      KernelCall call = accumulation(request, "tn_sum_start", "tn_sum_row", "tn_sum_finish_average");
      add_range(call, request, op.activation);
      return call;
    }
    return pool("tn_average_pool", op.activation);
  }

  KernelCall operator()(const MaxPool& op) const {
    need_int8(request);
    need_same_quantization(request, input_of(request));
    return pool("tn_max_pool", op.activation);
  }

  [[nodiscard]] KernelCall pool(const std::string& function, Activation activation) const {
    KernelCall call = make_call(function, "tn_pool_params", "window.h", "pool.c");
    add_geometry(call, "geometry", request);
    add_field(call, "channels", channels_of(output_of(request)));
    add_range(call, request, activation);
    call.columns = columns_of(output_of(request));
    return call;
  }

  KernelCall operator()(const Mean& op) const {
    need_int8(request);
    const auto shape = reduction_shape(request, op.axes);
    KernelCall call = request.accumulates ? accumulation(request, "tn_sum_start", "tn_sum_row", "tn_sum_finish_mean")
                                          : reduction(request, "tn_reduce_mean", op.axes);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    add_field(call, "output_zero_point", zero_point_of(output_of(request)));
    const auto fixed = mean_multiplier(request, shape.reduced);
    add_field(call, "multiplier", fixed.multiplier);
    add_field(call, "shift", fixed.shift);
    add_range(call, request, Activation::none);
    return call;
  }

  KernelCall operator()(const ReduceMax& op) const {
    need_int8(request);
    need_same_quantization(request, input_of(request));
    if (request.accumulates) return accumulation(request, "tn_max_start", "tn_max_row", "tn_max_finish");
    return reduction(request, "tn_reduce_max", op.axes);
  }

  KernelCall operator()(const ArgMax& op) const {
    if (input_of(request).dtype != DType::s8 || output_of(request).dtype != DType::s32) {
      refuse(request, "int8 values and int32 indices", std::string(dtype_name(output_of(request).dtype)));
    }
    return reduction(request, "tn_arg_max", {op.axis});
  }

  KernelCall operator()(const Pad& op) const {
    need_int8(request);
    const Shape& in = input_of(request).shape;
    const std::size_t rank = in.size();
    for (std::size_t d = 0; d + 3 < rank; ++d) {
      if (op.amounts[d][0] + op.amounts[d][1] != 0)
        refuse(request, "padding of rows, columns and channels only", shape_text(in));
    }
    if (rank < 2 || (rank != 4 && rank > 2 && op.amounts[rank - 3][0] + op.amounts[rank - 3][1] != 0)) {
      refuse(request, "a feature map or vector", shape_text(in));
    }
    KernelCall call = make_call("tn_pad", "tn_pad_params", "move.h", "move.c");
    call.form = in_rows() ? CallForm::rows : CallForm::whole;
    add_field(call, "input_w", in[rank - 2]);
    add_field(call, "input_c", in[rank - 1]);
    add_field(call, "output_c", channels_of(output_of(request)));
    add_field(call, "left", op.amounts[rank - 2][0]);
    add_field(call, "front", op.amounts[rank - 1][0]);
    add_field(call, "value", zero_point_of(output_of(request)));
    call.columns = columns_of(output_of(request));
    return call;
  }

  KernelCall operator()(const Reshape&) const {
    KernelCall call = make_call("tn_copy", "tn_copy_params", "move.h", "move.c");
    call.form = in_rows() ? CallForm::rows : CallForm::whole;
    const Tensor &in = input_of(request), &out = output_of(request);
    if (activation_bytes(in.shape, in.dtype) != byte_count(in.shape, in.dtype) ||
        activation_bytes(out.shape, out.dtype) != byte_count(out.shape, out.dtype)) {
      refuse(request, "rows of whole bytes", "4-bit values in rows of odd length");
    }
    add_field(call, "pixel_bytes", byte_count(out.shape, out.dtype));
    return call;
  }

  KernelCall operator()(const Transpose& op) const {
    need_whole_bytes(request);
    constexpr std::size_t kDims = 5;
    const Shape& in = input_of(request).shape;
    if (in.size() > kDims) refuse(request, "at most 5 dimensions", shape_text(in));
    const std::int32_t size = value_size(input_of(request));
    std::vector<std::int64_t> strides(in.size(), size);
    for (std::size_t d = in.size(); d-- > 1;) strides[d - 1] = strides[d] * in[d];
    KernelCall call = make_call("tn_transpose", "tn_transpose_params", "move.h", "move.c");
    call.form = CallForm::whole;
    const std::size_t skip = kDims - in.size();
    for (std::size_t d = 0; d < kDims; ++d) {
      const auto axis = d < skip ? std::size_t{0} : static_cast<std::size_t>(op.permutation[d - skip]);
      add_field(call, "dims[" + std::to_string(d) + "]", d < skip ? 1 : in[axis]);
      add_field(call, "input_strides[" + std::to_string(d) + "]", d < skip ? 0 : strides[axis]);
    }
    add_field(call, "element_bytes", size);
    return call;
  }

  /// Inputs are seen as [outer][bytes from the axis on]; a map's rows take part one by one where the axis lies inside a row.
  KernelCall operator()(const Concat& op) const {
    need_whole_bytes(request);
    const Shape& out = output_of(request).shape;
    const auto axis = static_cast<std::size_t>(resolve_axis(op.axis, out.size(), "[codegen]"));
    KernelCall call = make_call("tn_concat", "tn_concat_params", "move.h", "move.c");
    call.form = in_rows() ? CallForm::rows : CallForm::whole;
    const std::int32_t size = value_size(output_of(request));
    const auto bytes_from = [&](const Shape& shape) {
      return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end(), size, std::multiplies<>());
    };
    const std::size_t first = in_rows() && out.size() == 4 ? 2 : 0;
    call.columns = 1;
    for (std::size_t d = first; d < axis; ++d) call.columns *= out[d];
    std::int32_t offset = 0;
    for (std::size_t i = 0; i < operator_of(request).inputs.size(); ++i) {
      need_same_quantization(request, input_of(request, i));
      const std::int32_t bytes = bytes_from(input_of(request, i).shape);
      call.parts.push_back({{"input_bytes", std::to_string(bytes)},
                            {"output_bytes", std::to_string(bytes_from(out))},
                            {"offset", std::to_string(offset)}});
      offset += bytes;
    }
    return call;
  }

  KernelCall operator()(const ResizeNearest& op) const {
    need_whole_bytes(request);
    need_same_quantization(request, input_of(request));
    const Shape &in = input_of(request).shape, &out = output_of(request).shape;
    KernelCall call = make_call("tn_resize_nearest", "tn_resize_nearest_params", "move.h", "move.c");
    call.form = CallForm::whole;
    for (const std::size_t d : {std::size_t{1}, std::size_t{2}}) {
      ConstantArray source{d == 1 ? "row" : "column", "int16_t", {}};
      for (std::int32_t i = 0; i < out[d]; ++i) {
        source.values.push_back(nearest_source(i, in[d], out[d], op.align_corners, op.half_pixel_centers));
      }
      add_array(call, source.name, source);
    }
    add_resize_sizes(call, value_size(input_of(request)));
    add_field(call, "pixel_bytes", std::int64_t{in[3]} * value_size(input_of(request)));
    return call;
  }

  KernelCall operator()(const ResizeBilinear& op) const {
    need_int8(request);
    need_same_quantization(request, input_of(request));
    const Shape &in = input_of(request).shape, &out = output_of(request).shape;
    KernelCall call = make_call("tn_resize_bilinear", "tn_resize_bilinear_params", "move.h", "resize.c");
    call.form = CallForm::whole;
    for (const std::size_t d : {std::size_t{1}, std::size_t{2}}) {
      ConstantArray source{d == 1 ? "row" : "column", "int16_t", {}};
      for (std::int32_t i = 0; i < out[d]; ++i) {
        const auto n = bilinear_source_integer(i, in[d], out[d], op.align_corners, op.half_pixel_centers);
        source.values.insert(source.values.end(), {n.lower, n.upper, n.fraction_10});
      }
      add_array(call, source.name, source);
    }
    add_resize_sizes(call, 1);
    add_field(call, "channels", in[3]);
    return call;
  }

  void add_resize_sizes(KernelCall& call, std::int32_t size) const {
    const Shape &in = input_of(request).shape, &out = output_of(request).shape;
    add_field(call, "output_h", out[1]);
    add_field(call, "output_w", out[2]);
    add_field(call, "input_row_bytes", std::int64_t{in[2]} * in[3] * size);
  }

  KernelCall operator()(const Softmax& op) const {
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

  KernelCall operator()(const Logistic&) const { return table(); }
  KernelCall operator()(const Tanh&) const { return table(); }
  KernelCall operator()(const HardSwish&) const { return table(); }
  KernelCall operator()(const LeakyRelu&) const { return table(); }

  [[nodiscard]] KernelCall table() const {
    KernelCall call = elementwise(request, make_call("tn_lookup", "tn_lookup_params", "elementwise.h", "elementwise.c"));
    add_array(call, "table", {"table", "uint8_t", lookup_table(request)});
    add_field(call, "values", channels_of(output_of(request)));
    return call;
  }

  KernelCall operator()(const PRelu&) const {
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

  KernelCall operator()(const Quantize&) const {
    if (input_of(request).dtype != DType::f32) return table();
    return conversion("tn_quantize_f32", output_of(request));
  }
  KernelCall operator()(const Dequantize&) const { return conversion("tn_dequantize_f32", input_of(request)); }

  [[nodiscard]] KernelCall conversion(const std::string& function, const Tensor& quantized) const {
    if (quantized.dtype != DType::s8) refuse(request, "an int8 tensor", std::string(dtype_name(quantized.dtype)));
    KernelCall call = elementwise(request, make_call(function, "tn_convert_params", "elementwise.h", "convert.c"));
    call.fields.push_back({"scale", float_text(scale_of(quantized))});
    add_field(call, "zero_point", zero_point_of(quantized));
    add_field(call, "values", channels_of(quantized));
    return call;
  }
};

class PortableKernels final : public KernelSet {
 public:
  [[nodiscard]] tn_set id() const override { return TN_SET_PORTABLE; }

  [[nodiscard]] std::optional<KernelCall> choose(const KernelRequest& request) const override {
    if (request.input.layout != Layout::nhwc || request.output.layout != Layout::nhwc) {
      refuse(request, "rows in layout nhwc", "planar rows");
    }
    KernelCall call = std::visit(Chooser{request}, operator_of(request).kind);
    if (has_four_bits(request)) make_packed(request, call);
    auto kind = kernel_kind(*request.graph, operator_of(request));
    if (request.in_place) kind = TN_KIND_DEPTHWISE_IN_PLACE;
    if (kind == TN_KIND_ACCUMULATE && !request.accumulates) kind = TN_KIND_OTHER;
    const auto shape = kernel_shape(*request.graph, operator_of(request), request.rows_at_once);
    call.scratch_bytes = tn_scratch_portable(kind, &shape);
    return call;
  }
};

}  // namespace

const KernelSet& portable_kernels() {
  static const PortableKernels set;
  return set;
}

}  // namespace tinynas
