// Portable calls of operators that move values: padding, copies, concatenation, resizing.
#include <algorithm>
#include <functional>
#include <numeric>

#include "codegen/portable_calls.h"
#include "graph/formats.h"
#include "graph/resize.h"
#include "graph/shape.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

std::int32_t value_size(const Tensor& tensor) { return dtype_bits(tensor.dtype) / 8; }

void add_resize_sizes(KernelCall& call, const KernelRequest& request, std::int32_t size) {
  const Shape &in = input_of(request).shape, &out = output_of(request).shape;
  add_field(call, "output_h", out[1]);
  add_field(call, "output_w", out[2]);
  add_field(call, "input_row_bytes", std::int64_t{in[2]} * in[3] * size);
}

/// Operators that move values of any type, byte by byte.
void need_whole_bytes(const KernelRequest& request) {
  if (output_of(request).dtype == DType::s4)
    refuse(request, "values of whole bytes", "s4 '" + output_of(request).name + "'");
}

}  // namespace

KernelCall portable_call(const KernelRequest& request, const Pad& op) {
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
  call.form = in_rows(request) ? CallForm::rows : CallForm::whole;
  add_field(call, "input_w", in[rank - 2]);
  add_field(call, "input_c", in[rank - 1]);
  add_field(call, "output_c", channels_of(output_of(request)));
  add_field(call, "left", op.amounts[rank - 2][0]);
  add_field(call, "front", op.amounts[rank - 1][0]);
  add_field(call, "value", zero_point_of(output_of(request)));
  call.columns = columns_of(output_of(request));
  return call;
}

KernelCall portable_call(const KernelRequest& request, const Reshape&) {
  KernelCall call = make_call("tn_copy", "tn_copy_params", "move.h", "move.c");
  call.form = in_rows(request) ? CallForm::rows : CallForm::whole;
  const Tensor &in = input_of(request), &out = output_of(request);
  if (activation_bytes(in.shape, in.dtype) != byte_count(in.shape, in.dtype) ||
      activation_bytes(out.shape, out.dtype) != byte_count(out.shape, out.dtype)) {
    refuse(request, "rows of whole bytes", "4-bit values in rows of odd length");
  }
  add_field(call, "pixel_bytes", byte_count(out.shape, out.dtype));
  return call;
}

KernelCall portable_call(const KernelRequest& request, const Transpose& op) {
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
KernelCall portable_call(const KernelRequest& request, const Concat& op) {
  need_whole_bytes(request);
  const Shape& out = output_of(request).shape;
  const auto axis = static_cast<std::size_t>(resolve_axis(op.axis, out.size(), "[codegen]"));
  KernelCall call = make_call("tn_concat", "tn_concat_params", "move.h", "move.c");
  call.form = in_rows(request) ? CallForm::rows : CallForm::whole;
  const std::int32_t size = value_size(output_of(request));
  const auto bytes_from = [&](const Shape& shape) {
    return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end(), size, std::multiplies<>());
  };
  const std::size_t first = in_rows(request) && out.size() == 4 ? 2 : 0;
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

KernelCall portable_call(const KernelRequest& request, const ResizeNearest& op) {
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
  add_resize_sizes(call, request, value_size(input_of(request)));
  add_field(call, "pixel_bytes", std::int64_t{in[3]} * value_size(input_of(request)));
  return call;
}

KernelCall portable_call(const KernelRequest& request, const ResizeBilinear& op) {
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
  add_resize_sizes(call, request, 1);
  add_field(call, "channels", in[3]);
  return call;
}

}  // namespace tinynas
