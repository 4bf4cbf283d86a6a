// Which operators the DSP kernels (Armv7E-M, Armv8-M with DSP) have bodies for.
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "oracle/plan.h"

namespace tinynas {

/// Whether the DSP kernels have a body for a convolution from int8 to `output`, or a depthwise convolution of maps of s8 or
/// s4.
[[nodiscard]] bool dsp_convolution(const Graph& graph, const Operator& op, DType output = DType::s8);
[[nodiscard]] bool dsp_depthwise(const Graph& graph, const Operator& op, DType maps = DType::s8);

/// Whether a step of `rows_at_once` rows of a DSP depthwise convolution is a whole map of 3 x 3 under 3 x 3 windows with
/// padding all around (engine/dsp/map_3x3.S).
[[nodiscard]] bool dsp_map_3x3(const Graph& graph, const Operator& op, std::int32_t rows_at_once);

/// Whether such a step is a whole map of 2 to 5 rows under 7 x 7 windows, its zero point known to be -128 or unknown
/// (engine/dsp/lanes.inc).
[[nodiscard]] bool dsp_map_7x7(const Graph& graph, const Operator& op, std::int32_t rows_at_once);

/// Whether a DSP depthwise convolution of 3 x 3, stride 1, has maps of 5 or 6 columns with one of padding on either side
/// (engine/dsp/lanes_row.inc).
[[nodiscard]] bool dsp_whole_rows(const Graph& graph, const Operator& op);

/// Whether a DSP depthwise convolution of 3 x 3, stride 2, can read planar rows where they lie (engine/dsp/rows_3x3s2.inc).
[[nodiscard]] bool dsp_rows_in_place(const Graph& graph, const Operator& op);

/// Whether a DSP convolution has weights of 16 bits: into planar rows, with few enough inputs (engine/dsp/tile_w16.S).
[[nodiscard]] bool dsp_weights_w16(const Graph& graph, const Operator& op, Layout output);

/// Which DSP kernels compute an operator's rows of pixels: pairs or fours of channels times tiles, strips of a channel, or
/// portable ones.
enum class DspBody : std::uint8_t { none, pairs, quads, lanes };
[[nodiscard]] DspBody dsp_body(const Graph& graph, const Operator& op);

}  // namespace tinynas
