// The row order of plan.h, run for one segment to find how many rows of each tensor it holds at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oracle/rows.h"

namespace tinynas {

struct SegmentOrder {
  std::span<const std::int32_t> operators;     // ascending
  std::span<const std::int32_t> rows_at_once;  // parallel, or empty: all 1
  std::int32_t streamed_image = -1;            // tensor whose rows the caller pushes, -1: none
};

/// Rows of every tensor produced inside the segment (and of the streamed image) that must lie in memory together: index =
/// tensor, 0 for all others. Tensors that outlive the segment are whole, whatever stands here. nullopt when the order cannot
/// run as one segment: an operator is never fed by a row, or needs whole tensors.
[[nodiscard]] std::optional<std::vector<std::int32_t>> held_rows(const RowGraph& rows, const SegmentOrder& segment);

}  // namespace tinynas
