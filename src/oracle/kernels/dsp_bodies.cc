#include "oracle/kernels/dsp_bodies.h"

#include <variant>

#include "graph/formats.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "oracle/kernels/scratch.h"
#include "tinynas/constants.h"

namespace tinynas {
namespace {

const Tensor& tensor_at(const Graph& graph, std::int32_t index) { return graph.tensors[static_cast<std::size_t>(index)]; }

/// Weights of 8 or 4 bits.
bool has_maps(const Graph& graph, const Operator& op, DType input, DType output) {
  const DType weights = tensor_at(graph, op.inputs[1]).dtype;
  return tensor_at(graph, op.inputs[0]).dtype == input && tensor_at(graph, op.outputs[0]).dtype == output &&
         (weights == DType::s8 || weights == DType::s4);
}

}  // namespace

bool dsp_convolution(const Graph& graph, const Operator& op, DType output) {
  const auto* conv = std::get_if<Conv2D>(&op.kind);
  return conv != nullptr && has_maps(graph, op, DType::s8, output) && conv->window.dilation_w == 1 &&
         tensor_at(graph, op.inputs[1]).shape[3] == tensor_at(graph, op.inputs[0]).shape[3];
}

bool dsp_depthwise(const Graph& graph, const Operator& op, DType maps) {
  const auto* depthwise = std::get_if<DepthwiseConv2D>(&op.kind);
  if (depthwise == nullptr || !has_maps(graph, op, maps, maps)) return false;
  const Window& w = depthwise->window;
  const Shape &in = tensor_at(graph, op.inputs[0]).shape, &weights = tensor_at(graph, op.inputs[1]).shape;
  const std::int32_t kernel = weights[1];
  const bool square = kernel == weights[2] && (kernel == 3 || kernel == 5 || kernel == 7) && w.stride_h == w.stride_w;
  const bool aligned = w.stride_h == 2 || (w.stride_h == 1 && (w.padding.left & 1) == (kernel == 5 ? 0 : 1));
  return square && aligned && w.dilation_h == 1 && w.dilation_w == 1 && weights[3] == in[3] &&
         in[3] >= TN_DSP_STRIP_CHANNELS && (maps == DType::s8 || in[3] % TN_DSP_STRIP_CHANNELS == 0);
}

bool dsp_map_3x3(const Graph& graph, const Operator& op, std::int32_t rows_at_once) {
  if (rows_at_once < 3 || !dsp_depthwise(graph, op)) return false;
  const Window& w = std::get<DepthwiseConv2D>(op.kind).window;
  const Shape &in = tensor_at(graph, op.inputs[0]).shape, &out = tensor_at(graph, op.outputs[0]).shape;
  return in[1] == 3 && in[2] == 3 && out[1] == 3 && out[2] == 3 && w.stride_h == 1 && w.padding.top == 1 &&
         w.padding.left == 1 && tensor_at(graph, op.inputs[1]).shape[1] == 3;
}

bool dsp_map_7x7(const Graph& graph, const Operator& op, std::int32_t rows_at_once) {
  if (!dsp_depthwise(graph, op)) return false;
  const Window& w = std::get<DepthwiseConv2D>(op.kind).window;
  const Tensor& in = tensor_at(graph, op.inputs[0]);
  const std::int32_t rows = in.shape[1];
  const auto& zero = in.quantization.zero_point;
  return rows >= 2 && rows <= 5 && rows <= rows_at_once && rows == tensor_at(graph, op.outputs[0]).shape[1] &&
         w.stride_h == 1 && w.padding.top == 3 && tensor_at(graph, op.inputs[1]).shape[1] == 7 &&
         (zero.empty() || zero.front() == -128);
}

bool dsp_whole_rows(const Graph& graph, const Operator& op) {
  if (!dsp_depthwise(graph, op)) return false;
  const Window& w = std::get<DepthwiseConv2D>(op.kind).window;
  const std::int32_t columns = tensor_at(graph, op.inputs[0]).shape[2];
  return (columns == 5 || columns == 6) && columns == tensor_at(graph, op.outputs[0]).shape[2] && w.stride_w == 1 &&
         w.padding.left == 1 && tensor_at(graph, op.inputs[1]).shape[2] == 3;
}

bool dsp_rows_in_place(const Graph& graph, const Operator& op) {
  if (!dsp_depthwise(graph, op)) return false;
  const Window& w = std::get<DepthwiseConv2D>(op.kind).window;
  const std::int32_t columns = tensor_at(graph, op.inputs[0]).shape[2];
  // The scratch of strips holds a row of padding.
  const bool row = columns % 4 == 0 && columns >= 8 && columns <= 3 * TN_DSP_STRIP_ROW;
  return row && columns == 2 * tensor_at(graph, op.outputs[0]).shape[2] && w.stride_w == 2 && w.padding.left <= 1 &&
         tensor_at(graph, op.inputs[1]).shape[2] == 3;
}

bool dsp_weights_w16(const Graph& graph, const Operator& op, Layout output) {
  if (output != Layout::planar || !dsp_convolution(graph, op) || tensor_at(graph, op.inputs[1]).dtype != DType::s8)
    return false;
  const tn_shape s = kernel_shape(graph, op);
  const std::int32_t steps = s.kernel_h * tn_dsp_run_steps(s.kernel_w * s.input_c);
  const bool blocks = kernel_kind(graph, op) == TN_KIND_POINTWISE ? s.output_w >= 4 : s.output_w % 4 == 0;
  return blocks && s.output_c >= 2 && steps >= 2 && steps <= TN_DSP_W16_STEPS;
}

DspBody dsp_body(const Graph& graph, const Operator& op) {
  if (!has_weights(op)) return DspBody::none;
  const Tensor &in = tensor_at(graph, op.inputs[0]), &weights = tensor_at(graph, op.inputs[1]);
  const Tensor& out = tensor_at(graph, op.outputs[0]);
  if (std::holds_alternative<DepthwiseConv2D>(op.kind)) {
    return dsp_depthwise(graph, op, in.dtype) ? DspBody::lanes : DspBody::none;
  }
  if (std::holds_alternative<FullyConnected>(op.kind)) {
    const bool one = element_count(out.shape) == weights.shape[0];
    return has_maps(graph, op, DType::s8, DType::s8) && one ? DspBody::pairs : DspBody::none;
  }
  const bool fours = out.dtype == DType::s4 && out.shape.back() % 4 == 0;
  if (kernel_kind(graph, op) == TN_KIND_POINTWISE && in.dtype == DType::s4) {
    if (in.shape.back() % 8 != 0) return DspBody::none;
    if (out.dtype == DType::s4) return fours && weights.dtype == DType::s4 ? DspBody::quads : DspBody::none;
    return has_maps(graph, op, DType::s4, DType::s8) ? DspBody::pairs : DspBody::none;
  }
  const bool stored = out.dtype == DType::s8 || (fours && kernel_kind(graph, op) != TN_KIND_POINTWISE);
  return stored && dsp_convolution(graph, op, out.dtype) ? DspBody::pairs : DspBody::none;
}

}  // namespace tinynas
