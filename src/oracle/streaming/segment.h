// The order of plan.h, run for one segment to find how many rows or pixels of each tensor it holds at once, and how far its
// output may overlap its input.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oracle/plan.h"
#include "oracle/rows.h"

namespace tinynas {

struct SegmentOrder {
  std::span<const std::int32_t> operators;     // ascending
  std::span<const std::int32_t> rows_at_once;  // parallel, or empty: all 1
  std::int32_t streamed_image = -1;            // tensor whose rows the caller pushes, -1: none
  /// Whole tensors, or -1: `given_up` dies in this segment, `written` is born in it.
  std::int32_t given_up = -1, written = -1;
  Grain grain = Grain::rows;
};

struct SegmentRun {
  /// Rows (pixels) of every tensor produced inside the segment (and of the streamed image) that must lie in memory together:
  /// index = tensor, 0 for all others. Tensors that outlive the segment are whole, whatever stands here; those in bands have
  /// banded_rings() of pixels.h.
  std::vector<std::int32_t> held;
  /// Bytes by which `given_up` must begin after `written` so that nothing is written over what is still needed.
  std::int64_t distance = 0;
};

/// nullopt when the order cannot run as one segment: an operator is never fed, needs whole tensors, or (grain pixels) cannot
/// go by pixels.
[[nodiscard]] std::optional<SegmentRun> run_segment(const RowGraph& rows, const SegmentOrder& segment);

}  // namespace tinynas
