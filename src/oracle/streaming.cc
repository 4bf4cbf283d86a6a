#include "oracle/streaming.h"

#include <algorithm>
#include <limits>

#include "oracle/batch_rows.h"
#include "oracle/growing_segment.h"
#include "oracle/ring_table.h"

namespace tinynas {

std::vector<Segment> cut_into_segments(const ScheduleInput& input) {
  const auto table = make_ring_table(input);
  const auto image = streamed_image(input);
  const auto count = input.rows.operator_count();
  // peak[j]: the least peak of any cut of operators [0, j); sum breaks ties in favour of small segments overall.
  struct Best {
    std::int64_t peak = std::numeric_limits<std::int64_t>::max(), sum = std::numeric_limits<std::int64_t>::max();
    std::int32_t from = -1;
  };
  GrowingSegment growing(input, table, image);
  std::vector<Best> best(static_cast<std::size_t>(count) + 1);
  best[0] = {0, 0, -1};
  for (std::int32_t i = 0; i < count; ++i) {
    const auto& here = best[static_cast<std::size_t>(i)];
    growing.start(i);
    for (auto j = i; j < count && growing.add(j); ++j) {
      const auto bytes = growing.bytes();
      const auto peak = std::max(here.peak, bytes);
      const auto sum = here.sum + bytes;
      auto& there = best[static_cast<std::size_t>(j) + 1];
      if (peak < there.peak || (peak == there.peak && sum < there.sum)) there = {peak, sum, i};
    }
  }
  std::vector<Segment> segments;
  for (auto j = count; j > 0; j = best[static_cast<std::size_t>(j)].from) {
    Segment segment;
    for (auto op = best[static_cast<std::size_t>(j)].from; op < j; ++op) segment.operators.push_back(op);
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
  auto batched = segments;
  batch_rows(input, plan.arena_bytes, batched);
  auto fast = make_plan(input, "streaming", std::move(batched));
  return fast.arena_bytes <= plan.arena_bytes ? fast : plan;
}

}  // namespace tinynas
