// From a cut into segments to a plan with buffers and offsets, and from a plan to a cost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "oracle/oracle.h"
#include "oracle/packing/planner.h"
#include "oracle/rows.h"

namespace tinynas {

/// What building a plan needs besides the cut.
struct ScheduleInput {
  const Graph& graph;
  const RowGraph& rows;
  const ScheduleOptions& options;
  std::span<const std::int64_t> kept = {};  // bytes by operator that it keeps from step to step beside its scratch; empty: 0

  [[nodiscard]] std::int64_t kept_bytes(std::size_t op) const { return kept.empty() ? 0 : kept[op]; }
};

/// The tensor whose rows the caller pushes: the graph's only input when it is a feature map and the options ask for
/// streaming.
[[nodiscard]] std::int32_t streamed_image(const ScheduleInput& input);

/// Segment scratch: the accumulators of its pools, one after the other in operator order, then the most that any other of
/// its operators needs, then what operators keep.
[[nodiscard]] std::int64_t segment_scratch(const ScheduleInput& input, const Segment& segment);

/// Bytes saved when a tensor of `given_up` bytes begins `distance` after the start of one of `written` bytes.
[[nodiscard]] constexpr std::int64_t overlap_saving(std::int64_t written, std::int64_t given_up, std::int64_t distance) {
  return std::max<std::int64_t>(0, std::min(written - distance, given_up));
}

/// What one segment of a cut takes, for trying variants of it.
class SegmentBytes {
 public:
  /// `segments` must cover all operators; only the segment `index` may change afterwards, and not its operators.
  SegmentBytes(const ScheduleInput& input, const std::vector<Segment>& segments, std::size_t index);

  /// Whether the segment (of grain rows) can run and its whole tensors, rings and scratch take at most `limit_bytes`.
  [[nodiscard]] bool fits(const Segment& segment, std::int64_t limit_bytes) const;

 private:
  ScheduleInput input_;
  std::int32_t image_ = -1;
  std::int64_t whole_bytes_ = 0;     // live throughout the segment
  std::vector<std::int32_t> inner_;  // tensors that live in this segment alone
  std::int32_t ends_given_up_ = -1, ends_written_ = -1;
};

/// How hard the packer tries where its greedy orders leave a gap: for a plan of many that are compared, and for one whose
/// bytes count.
inline constexpr PackOptions kQuickPacking{.repairs = 20, .node_limit = 100};
inline constexpr PackOptions kThoroughPacking{.repairs = 400, .node_limit = 2000};

/// Lays out `segments` (which must cover all operators in order and be able to run): ring sizes by running the row order,
/// offsets by the packer.
[[nodiscard]] Plan make_plan(const ScheduleInput& input, const std::string& schedule, std::vector<Segment> segments,
                             const PackOptions& packing = kQuickPacking);

/// The most bytes that any segment of the plan keeps, those that two buffers share counted once.
[[nodiscard]] std::int64_t live_bytes(const Plan& plan);

/// The cost of running `plan`.
[[nodiscard]] Cost plan_cost(const ScheduleInput& input, const Plan& plan);

}  // namespace tinynas
