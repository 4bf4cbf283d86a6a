// The Helium kernels: convolutions of int8 maps with 16 or 4 lanes. Cores with MVE also have the DSP instructions, so what
// has no body here runs the DSP set's.
#include <algorithm>

#include "codegen/dsp_add.h"
#include "codegen/helium_pack.h"
#include "codegen/kernel_call.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

/// The same kernel on maps of 4 bits.
void widen(KernelCall& call, const tn_helium_maps& maps) {
  const std::string name = call.function.substr(std::string("tn_helium_").size()) + "_s4";
  for (auto& field : call.fields) field.name = "body." + field.name;
  call.function += "_s4";
  call.params_type = call.function + "_params";
  call.sources.insert(call.sources.end(), {"helium/wide.c", "helium/" + name + ".c"});
  add_field(call, "maps.kernel_h", maps.kernel_h);
  add_field(call, "maps.stride_h", maps.stride_h);
  add_field(call, "maps.input_values", maps.input_values);
  add_field(call, "maps.output_values", maps.output_values);
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

/// A matrix [output_c][length] and the kernel that multiplies with it.
void add_matrix(KernelCall& call, const KernelRequest& request, std::int32_t length) {
  const OutputStage stage = output_stage_of(request);
  const HeliumLayer layer = helium_layer(constant_values(input_of(request, 1)), stage);
  const bool single = length <= 16;
  const std::string form = single ? "single" : (length <= 160 ? "short" : "long");
  const bool nibbles = input_of(request, 1).dtype == DType::s4;
  const std::string bits = nibbles ? "_s4" : "";
  const std::string source = std::string("helium/block_") + (single ? "single" : "steps") + bits + ".S";
  call.sources.insert(call.sources.end(), {"helium/multiply.c", source});
  call.fields.push_back({"matrix.kernel", "tn_helium_block_" + form + "_" + mode_name(layer.mode) + bits});
  add_array(call, "matrix.stream", {"stream", "uint32_t", pack_block_stream(layer, nibbles)});
  add_field(call, "matrix.length", length);
  add_field(call, "matrix.output_c", channels_of(output_of(request)));
  add_clamp(call, "matrix.", stage);
}

/// Output columns [begin, end) whose windows lie inside the map; empty when the kernel's columns are dilated.
void add_inside(KernelCall& call, const Window& w, std::int32_t kernel_w, std::int32_t input_w) {
  const std::int32_t room = input_w + w.padding.left - kernel_w;
  const bool none = w.dilation_w != 1 || room < 0;
  add_field(call, "inside_begin", (w.padding.left + w.stride_w - 1) / w.stride_w);
  add_field(call, "inside_end", none ? 0 : std::min(call.columns, room / w.stride_w + 1));
}

struct HeliumChooser {
  const KernelRequest& request;

  [[nodiscard]] bool serves_maps() const { return helium_serves_maps(*request.graph, operator_of(request)); }

  std::optional<KernelCall> operator()(const Conv2D& op) const {
    const Shape &in = input_of(request).shape, &weights = input_of(request, 1).shape;
    if (!serves_maps() || weights[3] != in[3] || weights[0] < 2) return std::nullopt;
    const bool pointwise = kernel_kind(*request.graph, operator_of(request)) == TN_KIND_POINTWISE;
    const std::int32_t length = weights[1] * weights[2] * weights[3];
    KernelCall call = pointwise ? helium_call("tn_helium_pointwise", {"pointwise.c"})
                                : helium_call("tn_helium_conv2d", {"conv2d.c", "copy.S"});
    call.columns = columns_of(output_of(request));
    add_matrix(call, request, length);
    if (pointwise) return call;
    const std::int32_t bytes = tn_helium_window_bytes(length);
    add_geometry(call, "geometry", request);
    add_field(call, "input_c", in[3]);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    add_inside(call, op.window, weights[2], in[2]);
    add_field(call, "window_bytes", bytes);
    add_field(call, "windows", tn_helium_windows(bytes, call.columns * request.rows_at_once));
    return call;
  }

  std::optional<KernelCall> operator()(const FullyConnected&) const {
    if (!serves_maps() || channels_of(output_of(request)) < 2) return std::nullopt;
    KernelCall call = helium_call("tn_helium_pointwise", {"pointwise.c"});
    call.form = row_mode(*request.graph, operator_of(request)) == RowMode::rows ? CallForm::rows : CallForm::whole;
    const Shape& weights = input_of(request, 1).shape;
    call.columns = static_cast<std::int32_t>(element_count(output_of(request).shape) / weights[0]);
    add_matrix(call, request, weights[1]);
    return call;
  }

  std::optional<KernelCall> operator()(const DepthwiseConv2D& op) const {
    if (!serves_maps() || request.in_place || input_of(request, 1).shape[3] != input_of(request).shape[3])
      return std::nullopt;
    if (auto strips = depthwise_strips(op)) return strips;
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

  /// nullopt where the shape does not allow strips.
  [[nodiscard]] std::optional<KernelCall> depthwise_strips(const DepthwiseConv2D& op) const {
    const Shape& shape = input_of(request, 1).shape;
    const Window& w = op.window;
    const std::int32_t channels = shape[3], columns = columns_of(output_of(request));
    if (w.dilation_h != 1 || w.dilation_w != 1 || w.stride_h != w.stride_w || columns * channels > 65535 ||
        tn_helium_has_strips(shape[1], shape[2], w.stride_w) == 0) {
      return std::nullopt;
    }
    const auto strips = tn_helium_strips_of(shape[1], shape[2], w.stride_w, columns, request.rows_at_once);
    const OutputStage stage = output_stage_of(request);
    const auto stream = pack_strip_stream(constant_values(input_of(request, 1)), shape[2], strips, stage);
    const std::string depth = std::to_string(strips.depth);
    KernelCall call =
        helium_call("tn_helium_depthwise_strips", {"depthwise_strips.c", "copy.S", "unpack.S", "strips_d" + depth + ".S"});
    call.columns = columns;
    const std::string form = strips.pair != 0 ? "pair" : "row" + std::to_string(w.stride_w);
    call.fields.push_back({"kernel", "tn_helium_strips_" + form + "_d" + depth + "_" + mode_name(stream.mode)});
    add_geometry(call, "geometry", request);
    add_array(call, "stream", {"stream", "uint32_t", stream.words});
    add_field(call, "channel_words", stream.channel_words);
    add_field(call, "channels", channels);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
    add_field(call, "output_w", columns);
    add_clamp(call, "", stage);
    add_field(call, "strips.pair", strips.pair);
    add_field(call, "strips.depth", strips.depth);
    add_field(call, "strips.steps", strips.steps);
    add_field(call, "strips.rows", strips.rows);
    add_field(call, "strips.groups", strips.groups);
    add_field(call, "strips.columns", strips.columns);
    return call;
  }

  std::optional<KernelCall> operator()(const AveragePool&) const { return sum(); }
  std::optional<KernelCall> operator()(const Mean&) const { return sum(); }

  /// Over the whole map, row by row: the portable start and finish.
  [[nodiscard]] std::optional<KernelCall> sum() const {
    if (!request.accumulates || input_of(request).dtype != DType::s8) return std::nullopt;
    auto call = portable_kernels().choose(request);
    call->function = "tn_helium_sum_row";
    call->headers.emplace_back("tinynas/helium.h");
    call->sources.emplace_back("helium/sum.c");
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
    if (shape.input_bits == 4 || shape.output_bits == 4) widen(*call, tn_helium_maps_of(&shape));
    return call;
  }
};

}  // namespace

const KernelSet& helium_kernels() {
  static const HeliumKernels set;
  return set;
}

}  // namespace tinynas
