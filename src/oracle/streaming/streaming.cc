#include "oracle/streaming/streaming.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "graph/operators.h"
#include "oracle/streaming/batch_rows.h"
#include "oracle/streaming/growing_segment.h"
#include "oracle/streaming/ring_table.h"

namespace tinynas {

namespace {

constexpr auto kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::array kRowsOnly{Grain::rows};

/// A growing segment in every grain that is allowed.
class Growing {
 public:
  Growing(const ScheduleInput& input, std::span<const Grain> grains) {
    tables_.reserve(grains.size());
    for (const auto grain : grains) tables_.push_back(make_ring_table(input, grain));
    for (const auto& table : tables_) sides_.push_back({GrowingSegment(input, table, streamed_image(input)), table.grain});
  }

  void start(std::int32_t first) {
    for (auto& side : sides_) {
      side.segment.start(first);
      side.alive = true;
    }
  }

  bool add(std::int32_t op) {
    bool any = false;
    for (auto& side : sides_) any |= side.alive = side.alive && side.segment.add(op);
    return any;
  }

  /// Calls visit(grain, bytes) for every grain in which the segment can run.
  template <class Visit>
  void visit(Visit visit) const {
    for (const auto& side : sides_) {
      if (side.alive) visit(side.grain, side.segment.bytes());
    }
  }

  /// What any longer segment with the same start takes at least.
  [[nodiscard]] std::int64_t least_bytes() const {
    auto least = kNever;
    for (const auto& side : sides_) least = side.alive ? std::min(least, side.segment.least_bytes()) : least;
    return least;
  }

 private:
  struct Side {
    GrowingSegment segment;
    Grain grain;
    bool alive = false;
  };
  std::vector<RingTable> tables_;
  std::vector<Side> sides_;
};

/// The least peak of any cut: a shortest path with the maximum for the sum. Expands the cut of least peak, among equals the
/// furthest, until that is the end.
std::int64_t least_peak(Growing& growing, std::int32_t count) {
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
      growing.visit(
          [&](Grain /*grain*/, std::int64_t bytes) { there.peak = std::min(there.peak, std::max(here.peak, bytes)); });
    }
    i = count;
    for (auto j = count - 1; j > 0; --j) {
      const auto& cut = cuts[static_cast<std::size_t>(j)];
      if (!cut.done && cut.peak < cuts[static_cast<std::size_t>(i)].peak) i = j;
    }
  }
  return cuts.back().peak;
}

std::vector<std::int64_t> macs_before(const Graph& graph) {
  std::vector<std::int64_t> before{0};
  for (const auto& op : graph.operators) before.push_back(before.back() + operator_macs(graph, op));
  return before;
}

/// Several rows at once as far as the limit of speed allows; `slim` where that cannot be packed.
Plan fast_plan(const ScheduleInput& input, const std::vector<Segment>& segments, const Plan& slim) {
  auto limit = speed_limit_bytes(slim.arena_bytes);
  if (const auto most = input.options.sram_bytes; most > 0) limit = std::min(limit, most);
  // The packer may waste bytes: then less is asked for.
  for (auto asked = limit; asked > slim.arena_bytes; asked -= limit / 16) {
    auto batched = segments;
    batch_rows(input, asked, batched);
    auto fast = make_plan(input, "streaming", std::move(batched));
    if (fast.arena_bytes <= limit) return fast;
  }
  return slim;
}

}  // namespace

std::int64_t least_cut_peak(const ScheduleInput& input, std::span<const Grain> grains) {
  Growing growing(input, grains);
  return least_peak(growing, input.rows.operator_count());
}

std::vector<Segment> cut_into_segments(const ScheduleInput& input, std::span<const Grain> grains) {
  const auto count = input.rows.operator_count();
  Growing growing(input, grains);
  const auto peak = least_peak(growing, count);
  const auto macs = macs_before(input.graph);
  // Of the cuts of that peak the least bytes over all segments leave the packer most room.
  struct Cut {
    std::int64_t by_pixels = kNever, sum = kNever;
    std::int32_t from = -1;
    Grain grain = Grain::rows;
  };
  std::vector<Cut> cuts(static_cast<std::size_t>(count) + 1);
  cuts[0] = {0, 0, -1, Grain::rows};
  for (std::int32_t i = 0; i < count; ++i) {
    const auto here = cuts[static_cast<std::size_t>(i)];
    if (here.sum == kNever) continue;
    growing.start(i);
    for (auto j = i; j < count && growing.add(j) && growing.least_bytes() <= peak; ++j) {
      auto& there = cuts[static_cast<std::size_t>(j) + 1];
      const auto work = macs[static_cast<std::size_t>(j) + 1] - macs[static_cast<std::size_t>(i)];
      growing.visit([&](Grain grain, std::int64_t bytes) {
        const Cut cut{here.by_pixels + (grain == Grain::pixels ? work : 0), here.sum + bytes, i, grain};
        if (bytes <= peak && std::tie(cut.by_pixels, cut.sum) < std::tie(there.by_pixels, there.sum)) there = cut;
      });
    }
  }
  std::vector<Segment> segments;
  for (auto j = count; j > 0; j = cuts[static_cast<std::size_t>(j)].from) {
    const auto& cut = cuts[static_cast<std::size_t>(j)];
    Segment segment;
    segment.grain = cut.grain;
    for (auto op = cut.from; op < j; ++op) segment.operators.push_back(op);
    segments.push_back(std::move(segment));
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

Plan streaming_plan(const Graph& graph, const ScheduleOptions& options) {
  const auto rows = make_row_graph(graph);
  auto least = options;
  least.prefer = Prefer::memory;
  const ScheduleInput input{graph, rows, least};
  const auto by_rows = cut_into_segments(input, kRowsOnly);
  auto plan = make_plan(input, "streaming", by_rows);
  if (options.prefer == Prefer::speed) return fast_plan({graph, rows, options}, by_rows, plan);
  auto fine = make_plan(input, "streaming", cut_into_segments(input, kBothGrains), kThoroughPacking);
  if (fine.arena_bytes < plan.arena_bytes) return fine;
  // The packer may have wasted bytes that it would not waste on the larger rings of speed.
  if (plan.arena_bytes <= live_bytes(plan)) return plan;
  auto fast = fast_plan(input, by_rows, plan);
  return fast.arena_bytes < plan.arena_bytes ? fast : plan;
}

}  // namespace tinynas
