// Planar rows (Layout::planar): which tensors lie so, and how large their rows are.
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "oracle/streaming/schedule.h"

namespace tinynas {

/// Bytes of one channel's plane in a planar row of `columns`.
[[nodiscard]] constexpr std::int32_t planar_plane_bytes(std::int32_t columns) { return (columns + 3) / 4 * 4; }

/// Whether a ring of the tensor's rows is planar: on DSP cores, when speed is preferred, what a convolution with an
/// activation hands to depthwise convolutions.
[[nodiscard]] bool planar_ring(const ScheduleInput& input, std::int32_t tensor);

/// Bytes of a row in a ring, in the layout that planar_ring() says.
[[nodiscard]] std::int64_t ring_row_bytes(const ScheduleInput& input, std::int32_t tensor);

}  // namespace tinynas
