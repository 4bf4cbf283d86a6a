#include "codegen/portable_s4.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "codegen/dsp_add.h"
#include "codegen/kernel_call.h"
#include "codegen/portable_calls.h"
#include "graph/operators.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

/// An 8-bit function and, where the 4-bit one has parameters around the 8-bit one's, the name of these.
struct Counterpart {
  std::string_view function, inner, source;
};
constexpr std::array<Counterpart, 8> kCounterparts = {{
    {"tn_pointwise", "pointwise", "pointwise"},
    {"tn_conv2d", "conv", "conv2d"},
    {"tn_depthwise", "depthwise", "depthwise"},
    {"tn_add", "add", "elementwise"},
    {"tn_average_pool", "", "pool"},
    {"tn_max_pool", "", "pool"},
    {"tn_sum_row", "", "sum"},
    {"tn_max_row", "", "sum"},
}};

bool is_four(const Tensor& tensor) { return tensor.dtype == DType::s4; }

std::int64_t nibble_value(std::int64_t nibble) { return (nibble ^ 8) - 8; }

}  // namespace

bool has_four_bits(const KernelRequest& request) {
  const Operator& op = operator_of(request);
  if (std::holds_alternative<Reshape>(op.kind)) return false;  // bytes are moved
  bool four = is_four(output_of(request));
  for (const std::int32_t input : op.inputs) four = four || (input >= 0 && is_four(tensor_at(*request.graph, input)));
  return four;
}

bool takes_four_bits(const KernelRequest& request) {
  return std::visit(
      [&](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        constexpr bool kAlways = std::is_same_v<Kind, Conv2D> || std::is_same_v<Kind, FullyConnected> ||
                                 std::is_same_v<Kind, Add> || std::is_same_v<Kind, AveragePool> ||
                                 std::is_same_v<Kind, MaxPool>;
        if constexpr (std::is_same_v<Kind, ReduceMax>) return request.accumulates;
        return kAlways || (std::is_same_v<Kind, DepthwiseConv2D> && !request.in_place);
      },
      operator_of(request).kind);
}

std::vector<std::int64_t> pack_nibbles(const std::vector<std::int64_t>& values) {
  std::vector<std::int64_t> bytes((values.size() + 1) / 2, 0);
  for (std::size_t i = 0; i < values.size(); ++i) bytes[i / 2] |= (values[i] & 15) << (i % 2 * 4);
  for (auto& byte : bytes) byte = static_cast<std::int8_t>(byte);
  return bytes;
}

std::optional<KernelCall> add_by_table(const KernelRequest& request) {
  const auto* add = std::get_if<Add>(&operator_of(request).kind);
  if (add == nullptr || row_mode(*request.graph, operator_of(request)) != RowMode::rows) return std::nullopt;
  const Tensor &first = input_of(request, 0), &second = input_of(request, 1), &output = output_of(request);
  if (!is_four(first) || !is_four(second) || !is_four(output)) return std::nullopt;
  if (first.shape != output.shape || second.shape != output.shape) return std::nullopt;
  const auto range = activation_range(add->activation, scale_of(output), zero_point_of(output), type_range(output));
  const AddArithmetic sum = add_arithmetic(request);
  ConstantArray table{"table", "uint8_t", {}};
  for (std::int64_t pair = 0; pair < 256; ++pair) {
    const auto value =
        sum(static_cast<std::int32_t>(nibble_value(pair & 15)), static_cast<std::int32_t>(nibble_value(pair >> 4)));
    table.values.push_back(std::clamp(value, range.low, range.high) & 15);
  }
  KernelCall call = make_call("tn_add_table_s4", "tn_add_table_s4_params", "packed.h", "add_table_s4.c");
  call.columns = columns_of(output);
  add_array(call, "table", std::move(table));
  add_field(call, "channels", channels_of(output));
  return call;
}

void make_packed(const KernelRequest& request, KernelCall& call) {
  const auto* found = std::find_if(kCounterparts.begin(), kCounterparts.end(),
                                   [&](const Counterpart& c) { return c.function == call.function; });
  if (found == kCounterparts.end()) refuse(request, "tensors of 8 bits", "4-bit values, for which there is no body");
  call.function += "_s4";
  if (!call.finish.empty()) call.finish += "_s4";
  call.headers.emplace_back("tinynas/packed.h");
  call.sources.push_back("portable/" + std::string(found->source) + "_s4.c");
  const std::string own = "portable/" + std::string(found->source) + ".c";
  if (call.start.empty()) std::erase(call.sources, own);
  std::erase(call.sources, "portable/matrix.c");  // the 8-bit body's
  std::erase_if(call.fields, [](const KernelField& field) { return field.name == "kernel"; });
  if (found->inner.empty()) return;
  call.params_type = call.function + "_params";
  for (auto& field : call.fields) field.name = std::string(found->inner) + "." + field.name;
  const auto& second = operator_of(request).inputs.size() > 1 ? input_of(request, 1) : input_of(request);
  add_field(call, "bits.input", dtype_bits(input_of(request).dtype));
  add_field(call, "bits.weights", dtype_bits(second.dtype));
  add_field(call, "bits.output", dtype_bits(output_of(request).dtype));
}

}  // namespace tinynas
