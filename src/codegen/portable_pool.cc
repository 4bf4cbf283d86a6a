// Portable calls of pools and reductions.
#include <algorithm>

#include "codegen/portable_calls.h"
#include "graph/shape.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

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

KernelCall pool(const KernelRequest& request, const std::string& function, Activation activation) {
  KernelCall call = make_call(function, "tn_pool_params", "window.h", "pool.c");
  add_geometry(call, "geometry", request);
  add_field(call, "channels", channels_of(output_of(request)));
  add_range(call, request, activation);
  call.columns = columns_of(output_of(request));
  return call;
}

}  // namespace

KernelCall portable_call(const KernelRequest& request, const AveragePool& op) {
  need_int8(request);
  need_same_quantization(request, input_of(request));
  if (request.accumulates) {
    KernelCall call = accumulation(request, "tn_sum_start", "tn_sum_row", "tn_sum_finish_average");
    add_range(call, request, op.activation);
    return call;
  }
  return pool(request, "tn_average_pool", op.activation);
}

KernelCall portable_call(const KernelRequest& request, const MaxPool& op) {
  need_int8(request);
  need_same_quantization(request, input_of(request));
  return pool(request, "tn_max_pool", op.activation);
}

KernelCall portable_call(const KernelRequest& request, const Mean& op) {
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

KernelCall portable_call(const KernelRequest& request, const ReduceMax& op) {
  need_int8(request);
  need_same_quantization(request, input_of(request));
  if (request.accumulates) return accumulation(request, "tn_max_start", "tn_max_row", "tn_max_finish");
  return reduction(request, "tn_reduce_max", op.axes);
}

KernelCall portable_call(const KernelRequest& request, const ArgMax& op) {
  if (input_of(request).dtype != DType::s8 || output_of(request).dtype != DType::s32) {
    refuse(request, "int8 values and int32 indices", std::string(dtype_name(output_of(request).dtype)));
  }
  return reduction(request, "tn_arg_max", {op.axis});
}

}  // namespace tinynas
