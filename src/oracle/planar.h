// Planar rows (Layout::planar): which tensors lie so, and how large their rows are.
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "oracle/schedule.h"

namespace tinynas {

/// Whether the DSP kernels have a body for a convolution from int8 to `output`, or a depthwise convolution of maps of s8 or
/// s4.
[[nodiscard]] bool dsp_convolution(const Graph& graph, const Operator& op, DType output = DType::s8);
[[nodiscard]] bool dsp_depthwise(const Graph& graph, const Operator& op, DType maps = DType::s8);

/// Whether a step of `rows_at_once` rows of a DSP depthwise convolution is a whole map of 3 x 3 under 3 x 3 windows with
/// padding all around (engine/dsp/map_3x3.S).
[[nodiscard]] bool dsp_map_3x3(const Graph& graph, const Operator& op, std::int32_t rows_at_once);

/// Which DSP kernels compute an operator's rows of pixels: pairs or fours of channels times tiles, strips of a channel, or
/// portable ones.
enum class DspBody : std::uint8_t { none, pairs, quads, lanes };
[[nodiscard]] DspBody dsp_body(const Graph& graph, const Operator& op);

/// Bytes of one channel's plane in a planar row of `columns`.
[[nodiscard]] constexpr std::int32_t planar_plane_bytes(std::int32_t columns) { return (columns + 3) / 4 * 4; }

/// Whether a ring of the tensor's rows is planar: on DSP cores, when speed is preferred, what a convolution with an
/// activation hands to depthwise convolutions.
[[nodiscard]] bool planar_ring(const ScheduleInput& input, std::int32_t tensor);

/// Bytes of a row in a ring, in the layout that planar_ring() says.
[[nodiscard]] std::int64_t ring_row_bytes(const ScheduleInput& input, std::int32_t tensor);

}  // namespace tinynas
