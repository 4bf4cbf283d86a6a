// The DSP kernels: convolutions of int8 maps. Everything else, and what their bodies do not cover, is left to the portable
// set.
#include <algorithm>

#include "codegen/dsp_add.h"
#include "codegen/dsp_pack.h"
#include "codegen/dsp_pack_s4.h"
#include "codegen/kernel_call.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "oracle/kernels/dsp_bodies.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"
#include "oracle/streaming/planar.h"
#include "tinynas/constants.h"

namespace tinynas {
namespace {

/// 4 when inputs and outputs have 4.
std::int32_t map_bits(const KernelRequest& request) {
  return std::max(dtype_bits(input_of(request).dtype), dtype_bits(output_of(request).dtype));
}
std::int32_t weight_bits(const KernelRequest& request) { return dtype_bits(input_of(request, 1).dtype); }

KernelCall dsp_call(const std::string& function, std::vector<std::string> sources) {
  KernelCall call;
  call.function = function;
  call.params_type = function + "_params";
  call.headers = {"tinynas/dsp.h"};
  for (auto& source : sources) call.sources.push_back("dsp/" + source);
  return call;
}

/// For outputs of 4 bits that are computed as int8 and then packed (engine/dsp/pack_s4.S): less by 120, so that int8's lower
/// end is that of 4 bits; the upper end is left to the packing.
OutputStage staged(OutputStage stage) {
  constexpr std::int32_t kLess = 120;
  stage.zero_point -= kLess;
  stage.low -= kLess;
  stage.high = stage.high == 7 ? 127 : stage.high - kLess;
  return stage;
}

/// A packed matrix times tiles of the pixels of `rows` rows; where its results go is set by the caller.
void add_packed(KernelCall& call, const KernelRequest& request, const PackedMatrix& packed, std::int32_t rows) {
  const std::int32_t bits = weight_bits(request);
  add_array(call, "matrix.weights", {"matrix", "uint32_t", packed.words});
  add_field(call, "matrix.steps", packed.steps);
  add_field(call, "matrix.pairs", packed.pairs);
  add_field(call, "matrix.tile_pixels", tn_dsp_tile_pixels(packed.steps, call.columns, rows, bits));
  add_field(call, "matrix.expanded_bytes", tn_dsp_expanded_bytes(packed.steps, map_bits(request), bits));
}

/// The same of pack_matrix()'s.
void add_pairs(KernelCall& call, const KernelRequest& request, const PackedMatrix& packed, std::int32_t rows) {
  const bool nibbles = weight_bits(request) == 4;
  call.sources.insert(call.sources.end(), {"dsp/requantize.S", "dsp/tile.S"});
  if (nibbles) call.sources.insert(call.sources.end(), {"dsp/tile_s4.c", "dsp/expand.S"});
  call.fields.push_back({"matrix.kernel", nibbles ? "tn_dsp_tile_s4" : "tn_dsp_tile_run"});
  add_packed(call, request, nibbles ? in_nibbles(packed) : packed, rows);
}

/// weights [output_c][runs * run_length] times tiles of pixels.
void add_matrix(KernelCall& call, const KernelRequest& request, std::int32_t runs, std::int32_t run_length,
                std::int32_t rows) {
  const auto values = constant_values(input_of(request, 1));
  const std::int32_t channels = channels_of(output_of(request));
  const DspPlacement placement{request.output == Layout::planar, planar_plane_bytes(call.columns), call.columns % 4 == 0};
  const OutputStage stage = output_stage_of(request);
  const bool into_nibbles = output_of(request).dtype == DType::s4;
  call.sources.insert(call.sources.end(), {"dsp/fill_tile.c", "dsp/gather.S"});
  add_field(call, "matrix.plane_bytes", placement.planar ? placement.plane_bytes : 0);
  add_field(call, "matrix.pixel_bytes", placement.planar ? 0 : channels);
  if (dsp_weights_w16(*request.graph, operator_of(request), request.output)) {
    if (const auto wide = pack_matrix_w16(values, runs, run_length, stage, placement)) {
      call.sources.emplace_back("dsp/tile_w16.S");
      call.fields.push_back({"matrix.kernel", "tn_dsp_tile_w16"});
      add_field(call, "matrix.blocks_alone", 1);
      return add_packed(call, request, *wide, rows);
    }
  }
  const PackedMatrix packed = pack_matrix(values, runs, run_length, into_nibbles ? staged(stage) : stage, placement);
  add_pairs(call, request, packed, rows);
}

struct DspChooser {
  const KernelRequest& request;

  std::optional<KernelCall> operator()(const Conv2D&) const {
    const Shape &in = input_of(request).shape, &weights = input_of(request, 1).shape;
    const bool pointwise = kernel_kind(*request.graph, operator_of(request)) == TN_KIND_POINTWISE;
    if (request.input != Layout::nhwc || !has_body()) return std::nullopt;
    if (pointwise && input_of(request).dtype == DType::s4) return pointwise_of_nibbles();
    const bool into_nibbles = output_of(request).dtype == DType::s4;
    KernelCall call = pointwise ? dsp_call("tn_dsp_pointwise", {"pointwise.c"}) : dsp_call("tn_dsp_conv2d", {"conv2d.c"});
    call.columns = columns_of(output_of(request));
    if (into_nibbles) {
      call.function += "_s4";
      call.sources.insert(call.sources.end(), {"dsp/conv2d_s4.c", "dsp/pack_s4.S"});
    }
    add_matrix(call, request, weights[1], weights[2] * in[3], pointwise ? request.rows_at_once : 1);
    add_field(call, "input_c", in[3]);
    if (!pointwise) {
      add_geometry(call, "geometry", request);
      add_field(call, "input_zero_point", zero_point_of(input_of(request)));
      add_field(call, "width", call.columns);
    }
    return call;
  }

  [[nodiscard]] bool has_body() const { return dsp_body(*request.graph, operator_of(request)) != DspBody::none; }

  /// Inputs of 4 bits; nullopt where the weights do not allow it.
  [[nodiscard]] std::optional<KernelCall> pointwise_of_nibbles() const {
    const std::int32_t channels = channels_of(output_of(request)), input_c = channels_of(input_of(request));
    const bool into_nibbles = output_of(request).dtype == DType::s4;
    if (request.output != Layout::nhwc) return std::nullopt;
    KernelCall call = dsp_call("tn_dsp_pointwise_s4", {"pointwise_s4.c", "fill_tile.c", "gather_s4.S"});
    call.params_type = "tn_dsp_pointwise_params";
    call.columns = columns_of(output_of(request));
    if (into_nibbles) {
      const auto packed = pack_quads(constant_values(input_of(request, 1)), output_stage_of(request));
      if (!packed) return std::nullopt;
      call.sources.emplace_back("dsp/tile_w4a4.S");
      call.fields.push_back({"matrix.kernel", "tn_dsp_tile_w4a4"});
      add_packed(call, request, *packed, request.rows_at_once);
    } else {
      OutputStage stage = output_stage_of(request);
      const auto weights = for_nibbles(constant_values(input_of(request, 1)), stage);
      add_pairs(call, request, pack_matrix(weights, 1, input_c, stage, {}), request.rows_at_once);
    }
    add_field(call, "matrix.pixel_bytes", into_nibbles ? channels / 2 : channels);
    add_field(call, "input_c", input_c);
    return call;
  }

  std::optional<KernelCall> operator()(const FullyConnected&) const {
    if (!has_body()) return std::nullopt;
    KernelCall call = dsp_call("tn_dsp_pointwise", {"pointwise.c"});
    const bool in_rows = row_mode(*request.graph, operator_of(request)) == RowMode::rows;
    call.form = in_rows ? CallForm::rows : CallForm::whole;
    const Shape& weights = input_of(request, 1).shape;
    call.columns = static_cast<std::int32_t>(element_count(output_of(request).shape) / weights[0]);
    add_matrix(call, request, 1, weights[1], 1);
    add_field(call, "input_c", weights[1]);
    return call;
  }

  std::optional<KernelCall> operator()(const DepthwiseConv2D& op) const {
    if (request.in_place || request.output != Layout::nhwc || !has_body()) return std::nullopt;
    const bool nibbles = input_of(request).dtype == DType::s4, planar = request.input == Layout::planar;
    const Graph& graph = *request.graph;
    DepthwiseShape shape{input_of(request, 1).shape[1], op.window.stride_h, (op.window.padding.left & 1) != 0,
                         planar ? 128 : (nibbles ? 8 : 0)};
    if (planar && dsp_map_7x7(graph, operator_of(request), request.rows_at_once)) shape.zero_rows = TN_DSP_MAP_ZERO_ROWS;
    const OutputStage stage = nibbles ? staged(output_stage_of(request)) : output_stage_of(request);
    const auto weights = pack_depthwise(constant_values(input_of(request, 1)), shape, stage);
    if (planar) return depthwise_planar(shape, weights);
    KernelCall call = dsp_call("tn_dsp_depthwise", {});
    if (nibbles) {
      call.function += "_s4";
      call.sources = {"dsp/depthwise_s4.c", "dsp/unpack_nhwc_s4.S", "dsp/pack_s4.S"};
    } else {
      call.sources = {"dsp/depthwise.c", "dsp/unpack_nhwc.S"};
    }
    add_lanes(call, "lanes_" + size_of(shape), shape, weights);
    return call;
  }

  [[nodiscard]] static std::string size_of(const DepthwiseShape& shape) {
    const std::string kernel = std::to_string(shape.kernel);
    return kernel + "x" + kernel + "s" + std::to_string(shape.stride);
  }

  [[nodiscard]] KernelCall depthwise_planar(const DepthwiseShape& shape, const std::vector<std::int64_t>& weights) const {
    const Operator& op = operator_of(request);
    const Shape& in = input_of(request).shape;
    // Planar values are stored with 128 added: a zero point of -128 is padding that adds nothing.
    const bool quick = zero_point_of(input_of(request)) == -128 && requantizes_quickly(weights, shape);
    if (quick && dsp_rows_in_place(*request.graph, op)) return depthwise_rows(weights);
    KernelCall call = dsp_call("tn_dsp_depthwise", {});
    if (quick && dsp_map_3x3(*request.graph, op, request.rows_at_once)) {
      call.function += "_map_3x3";
      call.sources = {"dsp/depthwise_map.c", "dsp/map_3x3.S"};
      add_depthwise(call, shape, weights);
      return call;
    }
    call.function += "_planar";
    call.sources = {"dsp/depthwise_planar.c"};
    std::string name = "lanes_" + size_of(shape);
    if (shape.zero_rows != 0) name = "lanes_map_7x7";
    if (quick && dsp_whole_rows(*request.graph, op)) name = "lanes_row" + std::to_string(in[2]);
    add_lanes(call, name, shape, weights);
    const std::int32_t left = std::get<DepthwiseConv2D>(op.kind).window.padding.left;
    const std::int32_t end = (call.columns - 1) * shape.stride + shape.kernel - left;
    add_field(call, "together", tn_dsp_channels_together(in[3], in[2], left, end));
    return call;
  }

  /// Strips of one channel times the kernel `name`.
  void add_lanes(KernelCall& call, const std::string& name, const DepthwiseShape& shape,
                 const std::vector<std::int64_t>& weights) const {
    call.sources.insert(call.sources.end(), {"dsp/unpack_planar.S", "dsp/requantize.S", "dsp/lanes_run.S",
                                             "dsp/lanes_slow.S", "dsp/" + name + ".S"});
    call.fields.push_back({"kernel", "tn_dsp_" + name});
    add_depthwise(call, shape, weights);
  }

  void add_depthwise(KernelCall& call, const DepthwiseShape& shape, const std::vector<std::int64_t>& weights) const {
    const Shape& in = input_of(request).shape;
    call.columns = columns_of(output_of(request));
    add_array(call, "weights", {"lanes", "uint32_t", weights});
    add_field(call, "channel_words", tn_dsp_lanes_words(shape.kernel, shape.stride, shape.zero_rows));
    add_field(call, "kernel_size", shape.kernel);
    add_field(call, "stride", shape.stride);
    add_field(call, "pad_left", std::get<DepthwiseConv2D>(operator_of(request).kind).window.padding.left);
    add_field(call, "input_w", in[2]);
    add_field(call, "channels", in[3]);
    add_field(call, "input_zero_point", zero_point_of(input_of(request)));
  }

  /// 3 x 3, stride 2, of planar rows where they lie.
  [[nodiscard]] KernelCall depthwise_rows(const std::vector<std::int64_t>& weights) const {
    const Shape& in = input_of(request).shape;
    const std::int32_t left = std::get<DepthwiseConv2D>(operator_of(request).kind).window.padding.left;
    const std::string name = std::string("rows_3x3s2_") + (left != 0 ? "left" : "right");
    KernelCall call = dsp_call("tn_dsp_depthwise_rows", {"depthwise_rows.c", name + ".S"});
    call.columns = columns_of(output_of(request));
    call.fields.push_back({"kernel", "tn_dsp_" + name});
    add_array(call, "weights", {"lanes", "uint32_t", weights});
    add_field(call, "channels", in[3]);
    add_field(call, "input_w", in[2]);
    add_field(call, "pad_left", left);
    return call;
  }

  std::optional<KernelCall> operator()(const Add& op) const {
    const auto constants = fit_add(request, op.activation);
    if (!constants) return std::nullopt;
    KernelCall call = dsp_call("tn_dsp_add", {"elementwise.c", "add.S"});
    call.columns = columns_of(output_of(request));
    for (std::size_t i = 0; i < constants->size(); ++i)
      add_field(call, "constants[" + std::to_string(i) + "]", (*constants)[i]);
    add_field(call, "channels", channels_of(output_of(request)));
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
