#include "oracle/streaming.h"

#include <algorithm>
#include <limits>

#include "oracle/batch_rows.h"
#include "oracle/growing_segment.h"
#include "oracle/ring_table.h"

namespace tinynas {

namespace {

constexpr auto kNever = std::numeric_limits<std::int64_t>::max();

/// The least peak of any cut: a shortest path with the maximum for the sum. Expands the cut of least peak, among equals the
/// furthest, until that is the end.
std::int64_t least_peak(GrowingSegment& growing, std::int32_t count) {
  struct Cut {
    std::int64_t peak = kNever;
    bool done = false;
  };
  std::vector<Cut> cuts(static_cast<std::size_t>(count) + 1);
  cuts[0].peak = 0;
  for (std::int32_t i = 0; i < count;) {
    auto& here = cuts[static_cast<std::size_t>(i)];
    here.done = true;
    growing.start(i);
    for (auto j = i; j < count && growing.add(j) && growing.least_bytes() < cuts.back().peak; ++j) {
      auto& there = cuts[static_cast<std::size_t>(j) + 1];
      there.peak = std::min(there.peak, std::max(here.peak, growing.bytes()));
    }
    i = count;
    for (auto j = count - 1; j > 0; --j) {
      const auto& cut = cuts[static_cast<std::size_t>(j)];
      if (!cut.done && cut.peak < cuts[static_cast<std::size_t>(i)].peak) i = j;
    }
  }
  return cuts.back().peak;
}

}  // namespace

std::vector<Segment> cut_into_segments(const ScheduleInput& input) {
  const auto table = make_ring_table(input);
  const auto count = input.rows.operator_count();
  GrowingSegment growing(input, table, streamed_image(input));
  const auto peak = least_peak(growing, count);
  // Among the cuts of that peak the one with the least bytes over all segments: it leaves the packer most room.
  struct Cut {
    std::int64_t sum = kNever;
    std::int32_t from = -1;
  };
  std::vector<Cut> cuts(static_cast<std::size_t>(count) + 1);
  cuts[0].sum = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    const auto here = cuts[static_cast<std::size_t>(i)].sum;
    if (here == kNever) continue;
    growing.start(i);
    for (auto j = i; j < count && growing.add(j) && growing.least_bytes() <= peak; ++j) {
      auto& there = cuts[static_cast<std::size_t>(j) + 1];
      if (growing.bytes() <= peak && here + growing.bytes() < there.sum) there = {here + growing.bytes(), i};
    }
  }
  std::vector<Segment> segments;
  for (auto j = count; j > 0; j = cuts[static_cast<std::size_t>(j)].from) {
    Segment segment;
    for (auto op = cuts[static_cast<std::size_t>(j)].from; op < j; ++op) segment.operators.push_back(op);
    segments.push_back(std::move(segment));
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

Plan streaming_plan(const Graph& graph, const ScheduleOptions& options) {
  const auto rows = make_row_graph(graph);
  const ScheduleInput input{graph, rows, options};
  const auto segments = cut_into_segments(input);
  auto plan = make_plan(input, "streaming", segments);
  if (options.prefer == Prefer::memory) return plan;
  const auto limit = speed_limit_bytes(plan.arena_bytes);
  auto batched = segments;
  batch_rows(input, limit, batched);
  auto fast = make_plan(input, "streaming", std::move(batched));
  return fast.arena_bytes <= limit ? fast : plan;
}

}  // namespace tinynas
