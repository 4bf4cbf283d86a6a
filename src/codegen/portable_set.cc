// The portable kernels: every operator, nhwc rows only.
#include "codegen/portable_calls.h"
#include "oracle/rows.h"
#include "oracle/scratch.h"

namespace tinynas {

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

void need_int8(const KernelRequest& request) {
  for (const Tensor* tensor : {&input_of(request), &output_of(request)}) {
    if (tensor->dtype != DType::s8)
      refuse(request, "int8 tensors", std::string(dtype_name(tensor->dtype)) + " '" + tensor->name + "'");
  }
}

void need_same_quantization(const KernelRequest& request, const Tensor& input) {
  const Tensor& output = output_of(request);
  const bool same = input.dtype == output.dtype && input.quantization.scale == output.quantization.scale &&
                    input.quantization.zero_point == output.quantization.zero_point;
  if (!same) refuse(request, "input '" + input.name + "' in the output's quantisation", "another one");
}

bool in_rows(const KernelRequest& request) { return row_mode(*request.graph, operator_of(request)) == RowMode::rows; }

void add_range(KernelCall& call, const KernelRequest& request, Activation activation) {
  const Tensor& output = output_of(request);
  const auto range = activation_range(activation, scale_of(output), zero_point_of(output), ClampRange{-128, 127});
  add_field(call, "low", range.low);
  add_field(call, "high", range.high);
}

namespace {

class PortableKernels final : public KernelSet {
 public:
  [[nodiscard]] tn_set id() const override { return TN_SET_PORTABLE; }

  [[nodiscard]] std::optional<KernelCall> choose(const KernelRequest& request) const override {
    if (request.input != Layout::nhwc || request.output != Layout::nhwc) {
      refuse(request, "rows in layout nhwc", "planar rows");
    }
    KernelCall call = std::visit([&](const auto& op) { return portable_call(request, op); }, operator_of(request).kind);
    if (request.by_pixels) {
      compute_by_pixels(call, request);
      call.scratch_bytes = pixel_kernel_scratch(*request.graph, operator_of(request));
      return call;
    }
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
