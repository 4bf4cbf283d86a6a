#include "oracle/streaming/constants.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "graph/formats.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "oracle/accounting.h"
#include "oracle/kernels/dsp_bodies.h"
#include "oracle/kernels/kernel_run.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"
#include "tinynas/constants.h"

namespace tinynas {
namespace {

constexpr std::int64_t kTableBytes = 256;    // an output for every input byte, or for every pair of 4-bit inputs
constexpr std::int32_t kGroupInputs = 96;    // of a w4a4 matrix
constexpr std::int64_t kHeliumChannel = 16;  // of a depthwise convolution without strips

/// One operator of a plan.
class Constants {
 public:
  explicit Constants(KernelRun run) : run_(std::move(run)) {}

  /// Of the core's own packing, where the core has a body; else of the portable one.
  [[nodiscard]] std::int64_t packed() const {
    if (!has_weights(run_.op)) return tables();
    std::optional<std::int64_t> words;
    if (run_.set == TN_SET_HELIUM && helium_serves_maps(run_.graph, run_.op)) words = helium_words();
    if (!words && (run_.set == TN_SET_DSP || run_.set == TN_SET_HELIUM)) words = dsp_words();
    return words ? 4 * *words : portable();
  }

  [[nodiscard]] std::int64_t portable() const {
    if (!has_weights(run_.op)) return tables();
    return portable_weights() + kEngineFlashPerChannel * weight_channels(run_.graph, run_.op);
  }

 private:
  [[nodiscard]] const Tensor& tensor(std::int32_t index) const {
    return run_.graph.tensors[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const Tensor& input() const { return tensor(run_.op.inputs.front()); }
  [[nodiscard]] const Tensor& output() const { return tensor(run_.op.outputs.front()); }
  [[nodiscard]] std::int32_t length() const { return run_.shape.kernel_h * run_.shape.kernel_w * run_.shape.input_c; }

  [[nodiscard]] std::optional<std::int64_t> helium_words() const {
    const auto& s = run_.shape;
    if (!std::holds_alternative<DepthwiseConv2D>(run_.op.kind)) {
      if (std::holds_alternative<TransposeConv>(run_.op.kind) || s.groups != 1 || s.output_c < 2) return std::nullopt;
      return tn_helium_matrix_words(length(), &s);
    }
    if (s.output_c != s.input_c) return std::nullopt;
    if (!helium_has_strips(run_)) return (element_count(tensor(run_.op.inputs[1]).shape) + kHeliumChannel * s.output_c) / 4;
    const auto strips = tn_helium_strips_of(s.kernel_h, s.kernel_w, s.stride_w, s.output_w, s.rows_at_once);
    return std::int64_t{s.output_c} * tn_helium_lanes_words(&strips, s.output_bits);
  }

  [[nodiscard]] std::optional<std::int64_t> dsp_words() const {
    const auto& s = run_.shape;
    switch (dsp_body(run_.graph, run_.op)) {
      case DspBody::pairs:
        if (dsp_weights_w16(run_.graph, run_.op, run_.output))
          return tn_dsp_w16_words(s.kernel_h * tn_dsp_run_steps(s.kernel_w * s.input_c), s.output_c);
        return tn_dsp_matrix_words(s.kernel_h * tn_dsp_run_steps(s.kernel_w * s.input_c), s.output_c, s.weight_bits);
      case DspBody::quads:
        return tn_dsp_quads_words(s.input_c / 2, s.output_c, static_cast<std::int32_t>(ceil_div(s.input_c, kGroupInputs)));
      case DspBody::lanes:
        return std::int64_t{s.output_c} * tn_dsp_lanes_words(s.kernel_h, s.stride_w, zero_rows());
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] std::int32_t zero_rows() const {
    const bool map = run_.input == Layout::planar && dsp_map_7x7(run_.graph, run_.op, run_.shape.rows_at_once);
    return map ? TN_DSP_MAP_ZERO_ROWS : 0;
  }

  /// Matrices stand in blocks of four channels; 4-bit weights of one input share bytes within a block.
  [[nodiscard]] std::int64_t portable_weights() const {
    const Tensor& weights = tensor(run_.op.inputs[1]);
    const bool matrix = std::holds_alternative<Conv2D>(run_.op.kind) || std::holds_alternative<FullyConnected>(run_.op.kind);
    if (weights.dtype != DType::s4 || !matrix) return weight_bytes(run_.graph, run_.op);
    const std::int64_t channels = weights.shape.front() / run_.shape.groups, rest = channels % 4;
    const std::int64_t depth = element_count(weights.shape) / weights.shape.front();
    return run_.shape.groups * depth * (channels / 4 * 2 + (rest + 1) / 2);
  }

  [[nodiscard]] std::int64_t tables() const {
    const Shape& out = output().shape;
    return std::visit(
        [&](const auto& kind) -> std::int64_t {
          using Kind = std::decay_t<decltype(kind)>;
          constexpr bool kLooksUp = std::is_same_v<Kind, Logistic> || std::is_same_v<Kind, Tanh> ||
                                    std::is_same_v<Kind, HardSwish> || std::is_same_v<Kind, LeakyRelu>;
          if constexpr (kLooksUp) return kTableBytes;
          if constexpr (std::is_same_v<Kind, Quantize>) return input().dtype == DType::f32 ? 0 : kTableBytes;
          if constexpr (std::is_same_v<Kind, ResizeNearest>) return 2 * std::int64_t{out[1] + out[2]};
          if constexpr (std::is_same_v<Kind, ResizeBilinear>) return 6 * std::int64_t{out[1] + out[2]};
          if constexpr (std::is_same_v<Kind, Add>) return adds_by_table() ? kTableBytes : operands();
          return operands();
        },
        run_.op.kind);
  }

  /// Constant inputs.
  [[nodiscard]] std::int64_t operands() const {
    std::int64_t bytes = 0;
    for (const auto index : run_.op.inputs) {
      if (index >= 0 && tensor(index).constant && tensor(index).dtype == DType::s8)
        bytes += element_count(tensor(index).shape);
    }
    return bytes;
  }

  [[nodiscard]] bool adds_by_table() const {
    const Tensor& second = tensor(run_.op.inputs[1]);
    const bool four = input().dtype == DType::s4 && second.dtype == DType::s4 && output().dtype == DType::s4;
    return four && input().shape == output().shape && second.shape == output().shape &&
           row_mode(run_.graph, run_.op) == RowMode::rows;
  }

  KernelRun run_;
};

KernelRun run_of(const Graph& graph, const Operator& op, tn_set set, std::int32_t batch) {
  KernelRun run{graph, op, set, kernel_shape(graph, op, batch), {}, Layout::nhwc, Layout::nhwc, 1};
  if (const auto window = kernel_window(graph, op)) run.window = *window;
  return run;
}

/// What windows of pixels see of padding: a pixel of zero points, which all maps with that zero point share.
class PaddingPixels {
 public:
  PaddingPixels(const Graph& graph, const RowGraph& rows) : graph_(graph), rows_(rows) {}

  /// Bytes that the input of `op` adds to those so far.
  [[nodiscard]] std::int64_t add(const Operator& op) {
    const bool windows = std::holds_alternative<DepthwiseConv2D>(op.kind) ||
                         (std::holds_alternative<Conv2D>(op.kind) && kernel_kind(graph_, op) != TN_KIND_POINTWISE);
    if (!windows) return 0;
    const Tensor& map = graph_.tensors[static_cast<std::size_t>(op.inputs.front())];
    auto& there = bytes_[zero_point_of(op.inputs.front())];
    const auto wanted = std::max(there, row_bytes({1, map.shape.back()}, map.dtype));
    return wanted - std::exchange(there, wanted);
  }

 private:
  /// Of a tensor without one that which calibration gives maps behind an activation; else one that no other tensor has.
  [[nodiscard]] std::int64_t zero_point_of(std::int32_t tensor) const {
    const auto& map = graph_.tensors[static_cast<std::size_t>(tensor)];
    const auto& given = map.quantization.zero_point;
    const auto producer = rows_.tensor(tensor).producer;
    const bool activated =
        producer >= 0 && fused_activation(graph_.operators[static_cast<std::size_t>(producer)].kind) != Activation::none;
    if (given.empty() && !activated) return kUnknown + tensor;
    const std::int32_t zero = given.empty() ? dtype_min(map.dtype) : given.front();
    return map.dtype == DType::s4 ? static_cast<std::int8_t>((zero & 15) * 0x11) : zero;
  }

  static constexpr std::int64_t kUnknown = 1000;
  const Graph& graph_;
  const RowGraph& rows_;
  std::map<std::int64_t, std::int64_t> bytes_;  // by zero point
};

}  // namespace

std::vector<std::int64_t> least_constant_bytes(const ScheduleInput& input) {
  const auto set = kernel_set(input.options.core);
  std::vector<std::int64_t> bytes;
  for (const auto& op : input.graph.operators) {
    auto least = std::numeric_limits<std::int64_t>::max();
    for (const std::int32_t batch : {1, 2}) {  // more make no difference
      const Constants constants(run_of(input.graph, op, set, batch));
      least = std::min(least, constants.packed());
      if (input.options.prefer == Prefer::memory) least = std::min(least, constants.portable());
    }
    bytes.push_back(least);
  }
  return bytes;
}

std::vector<std::int64_t> constant_bytes(const ScheduleInput& input, const Plan& plan) {
  const Graph& graph = input.graph;
  std::vector<const Buffer*> buffers(graph.tensors.size(), nullptr);
  for (const auto& buffer : plan.buffers) {
    if (buffer.tensor >= 0) buffers[static_cast<std::size_t>(buffer.tensor)] = &buffer;
  }
  std::vector<std::int64_t> bytes(graph.operators.size(), 0);
  const auto set = kernel_set(input.options.core);
  PaddingPixels padding(graph, input.rows);
  for (const auto& segment : plan.segments) {
    for (std::size_t i = 0; i < segment.operators.size(); ++i) {
      const auto index = static_cast<std::size_t>(segment.operators[i]);
      const Operator& op = graph.operators[index];
      const auto batch = segment.rows_at_once.empty() ? 1 : segment.rows_at_once[i];
      const auto* source = op.inputs.empty() ? nullptr : buffers[static_cast<std::size_t>(op.inputs[0])];
      const auto* output = buffers[static_cast<std::size_t>(op.outputs[0])];
      KernelRun run = run_of(graph, op, set, batch);
      if (source != nullptr) run.input = source->layout;
      if (output != nullptr) run.output = output->layout;
      const Constants constants(std::move(run));
      const bool own = segment.grain == Grain::rows && !works_in_place(op, output);
      if (segment.grain == Grain::pixels) bytes[index] += padding.add(op);
      bytes[index] += own ? constants.packed() : constants.portable();
    }
  }
  return bytes;
}

}  // namespace tinynas
