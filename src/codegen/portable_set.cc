// The portable kernels: every operator, nhwc rows only.
#include "codegen/portable_calls.h"
#include "codegen/portable_s4.h"
#include "graph/formats.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"

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
  const Operator& op = operator_of(request);
  std::vector<const Tensor*> tensors = {&output_of(request)};
  for (std::size_t i = 0; i < (has_weights(op) ? 2 : op.inputs.size()); ++i) tensors.push_back(&input_of(request, i));
  for (const Tensor* tensor : tensors) {
    const bool four = tensor->dtype == DType::s4 && takes_four_bits(request);
    if (tensor->dtype == DType::s8 || four) continue;
    refuse(request, takes_four_bits(request) ? "tensors of 8 or 4 bits" : "tensors of 8 bits",
           std::string(dtype_name(tensor->dtype)) + " '" + tensor->name + "'");
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
  const auto range = activation_range(activation, scale_of(output), zero_point_of(output), type_range(output));
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
    KernelCall call = make(request);
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

 private:
  static KernelCall make(const KernelRequest& request) {
    if (auto table = add_by_table(request)) return *std::move(table);
    KernelCall call = std::visit([&](const auto& op) { return portable_call(request, op); }, operator_of(request).kind);
    if (has_four_bits(request)) make_packed(request, call);
    return call;
  }
};

}  // namespace

const KernelSet& portable_kernels() {
  static const PortableKernels set;
  return set;
}

}  // namespace tinynas
