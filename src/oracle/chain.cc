#include "oracle/chain.h"

#include <algorithm>
#include <array>
#include <limits>

#include "oracle/ring_table.h"
#include "oracle/rows.h"
#include "oracle/schedule.h"

namespace tinynas {
namespace {

constexpr auto kNever = std::numeric_limits<std::int64_t>::max();

/// The value in a narrower type; `fits` becomes false where it has no room.
template <class Narrow>
Narrow narrow(std::int64_t value, bool& fits) {
  fits = fits && value <= std::numeric_limits<Narrow>::max();
  return static_cast<Narrow>(value);
}

/// The operator's record; false when it is no link of a chain.
bool set_link(const RowGraph& rows, const RingTable& table, std::int32_t op, ChainOperator& link) {
  const auto& info = rows.operators[static_cast<std::size_t>(op)];
  const auto inputs = rows.inputs(op);
  if (info.mode == RowMode::whole || inputs.empty() || inputs.size() > 2) return false;
  const auto& access = inputs.back();  // of an ADD the one that comes later
  if (rows.tensor(access.tensor).producer != op - 1) return false;
  const auto ring_of = [&](const RowAccess& a) { return table.ring_bytes[static_cast<std::size_t>(a.tensor)]; };
  const auto& output = rows.tensor(info.output);
  bool fits = true;
  link.stride = narrow<std::int16_t>(access.stride, fits);
  link.pad = narrow<std::int16_t>(access.pad, fits);
  link.extent = narrow<std::int16_t>(access.extent, fits);
  link.input_rows = narrow<std::int16_t>(access.height, fits);
  link.rows = narrow<std::int16_t>(output.rows, fits);
  link.row_bytes = narrow<std::int32_t>(output.row_bytes, fits);
  link.bytes = narrow<std::int32_t>(output.bytes, fits);
  link.scratch = narrow<std::int32_t>(table.scratch[static_cast<std::size_t>(op)], fits);
  link.reads_all = access.all;
  link.accumulates = info.mode == RowMode::accumulate;
  link.closes_input = rows.tensor(access.tensor).last_reader == op;
  if (link.closes_input) link.ring_bytes = narrow<std::int32_t>(ring_of(access), fits);
  if (inputs.size() == 1) return fits;
  const auto& other = inputs.front();
  const auto producer = rows.tensor(other.tensor).producer;
  link.skip = narrow<std::int16_t>(op - 1 - producer, fits);
  link.skip_ring_bytes = narrow<std::int32_t>(ring_of(other), fits);
  const bool same_rows = !access.all && !other.all && other.stride == 1 && other.extent == 1 && access.extent == 1;
  const bool closes = rows.tensor(other.tensor).last_reader == op && link.closes_input;
  return fits && same_rows && link.skip > 0 && producer >= 0 && closes;
}

}  // namespace

std::vector<ChainOperator> make_chain(const Graph& graph, const ScheduleOptions& options) {
  const auto rows = make_row_graph(graph);
  const auto table = make_ring_table({graph, rows, options});
  std::vector<ChainOperator> chain(graph.operators.size());
  for (std::int32_t op = 0; op < rows.operator_count(); ++op) {
    if (!set_link(rows, table, op, chain[static_cast<std::size_t>(op)])) return {};
  }
  return chain;
}

std::int64_t ChainCut::least_peak(ChainView operators, std::span<const std::int32_t> boundaries, std::int64_t image_bytes,
                                  bool image_streamed) {
  prepare(operators, image_bytes, image_streamed);
  const auto count = static_cast<std::int32_t>(operators.size());
  cuts_.assign(1, 0);
  cuts_.insert(cuts_.end(), boundaries.begin(), boundaries.end());
  cuts_.push_back(count);
  auto best = each_alone();
  best = std::min(best, shortest(best, cuts_));
  // What lives across a cut lies whole in the segments on both sides of it, so
  // few other cuts can lead to less.
  fine_cuts_.clear();
  for (std::int32_t cut = 0; cut <= count; ++cut) {
    if (cut == 0 || cut == count || live_[static_cast<std::size_t>(cut)] < best) fine_cuts_.push_back(cut);
  }
  return std::min(best, shortest(best, fine_cuts_));
}

void ChainCut::prepare(ChainView operators, std::int64_t image_bytes, bool image_streamed) {
  operators_ = operators;
  image_bytes_ = image_bytes;
  image_streamed_ = image_streamed;
  const auto count = operators.size();
  pool_ = static_cast<std::int32_t>(count);
  live_.resize(count + 1);
  prefix_.resize(count);
  skips_.assign(count, {});
  live_[0] = image_bytes;
  Prefix sum;
  for (std::size_t op = 0; op < count; ++op) {
    const auto& link = *operators[op];
    live_[op + 1] = link.bytes;
    sum.rings += link.ring_bytes + link.skip_ring_bytes;
    if (link.accumulates) sum.accumulators += link.scratch;
    if (link.reads_all) {
      pool_ = std::min(pool_, static_cast<std::int32_t>(op));
    } else if (op > 0) {
      sum.shift += (link.extent - link.pad - 1) * sum.stride;
      sum.stride *= link.stride;
    }
    prefix_[op] = sum;
    if (link.skip > 0) close_skip(op);
  }
}

void ChainCut::close_skip(std::size_t add) {
  const auto& link = *operators_[add];
  const auto begin = add - static_cast<std::size_t>(link.skip);  // reads the same tensor
  const auto bytes = operators_[begin - 1]->bytes;
  for (auto op = begin; op <= add; ++op) {
    skips_[op] = {static_cast<std::int32_t>(add), bytes, link.skip_ring_bytes};
    if (op > begin) live_[op] += bytes;
  }
}

ChainCut::GivenUp ChainCut::given_up_by(std::int32_t first) const {
  const auto i = static_cast<std::size_t>(first);
  const auto& link = *operators_[i];
  if (first == 0) {
    return {image_bytes_, image_bytes_ / link.input_rows, link.input_rows, image_streamed_ ? -1 : 0};
  }
  const auto& input = *operators_[i - 1];
  GivenUp given_up{input.bytes, input.row_bytes, input.rows, first};
  if (!link.closes_input) given_up.last_reader = skips_[i].add;
  // An ADD whose other input is not smaller gives up that one, which an
  // operator before the segment has read as well.
  if (link.skip > 0 && skips_[i].bytes >= input.bytes) given_up.last_reader = -1;
  return given_up;
}

/// Of `reader` before rows of op's output, the windows between them composed.
ChainCut::Progress ChainCut::progress(std::int32_t reader, std::int32_t op) const {
  const auto& from = prefix_[static_cast<std::size_t>(reader)];
  const auto until = [&](std::int32_t last) {
    const auto& to = prefix_[static_cast<std::size_t>(last)];
    return Progress{to.stride / from.stride, 1 + (to.shift - from.shift) / from.stride};
  };
  if (reader >= pool_ || op < pool_) return until(op);
  const auto before = until(pool_ - 1);
  return {0, (operators_[static_cast<std::size_t>(pool_)]->input_rows - 1) * before.stride + before.shift};
}

/// Bytes of op's output that may lie over what is given up (GrowingSegment of growing_segment.h, for a chain).
std::int64_t ChainCut::saving(const GivenUp& given_up, std::int32_t first, std::int32_t op) const {
  const auto reader_of = [&](std::int32_t reader) {
    return Reader{operators_[static_cast<std::size_t>(reader)], progress(reader, op), reader == op};
  };
  const std::array<Reader, 2> both{reader_of(first), reader_of(given_up.last_reader)};
  const std::span<const Reader> readers(both.data(), given_up.last_reader > first ? 2 : 1);
  const auto& output = *operators_[static_cast<std::size_t>(op)];
  std::int64_t distance = 0;
  const auto look_at = [&](std::int32_t row) {
    row = std::clamp<std::int32_t>(row, 0, output.rows - 1);
    const auto rows = freed_rows(readers, given_up.rows, row);
    if (rows < given_up.rows) {
      distance = std::max(distance, std::int64_t{row + 1} * output.row_bytes - rows * given_up.row_bytes);
    }
  };
  look_at(0);
  look_at(output.rows - 1);
  for (const auto& [link, done_before, writes] : readers) {
    if (done_before.stride == 0) continue;
    look_at((link->rows - 1 - done_before.shift) / done_before.stride);
    look_at((link->pad / std::max<std::int32_t>(1, link->stride) - done_before.shift) / done_before.stride);
  }
  return overlap_saving(output.bytes, given_up.bytes, distance);
}

/// Rows at the start of a given-up tensor of `height` rows that are free while `row` of the output is written, or all.
std::int32_t ChainCut::freed_rows(std::span<const Reader> readers, std::int32_t height, std::int32_t row) {
  auto oldest = height;
  for (const auto& [link, done_before, writes] : readers) {
    // The operator that writes still reads what this row needs.
    const auto done = writes ? row : std::clamp<std::int32_t>(row * done_before.stride + done_before.shift, 0, link->rows);
    if (done == link->rows || (link->accumulates && writes)) continue;
    oldest = std::min(oldest, link->reads_all ? 0 : std::clamp<std::int32_t>(done * link->stride - link->pad, 0, height));
  }
  return oldest;
}

/// Of the tensors that a segment does not hold as rings.
std::int64_t ChainCut::whole_bytes(std::int32_t first, std::int32_t op) const {
  const auto i = static_cast<std::size_t>(first);
  auto bytes = live_[i] + live_[static_cast<std::size_t>(op) + 1];
  if (op < skips_[i].add) bytes -= skips_[i].bytes;  // lives across both ends
  if (first == 0 && image_streamed_) bytes -= image_bytes_;
  return bytes;
}

std::int64_t ChainCut::ring_bytes(std::int32_t first, std::int32_t op) const {
  const auto i = static_cast<std::size_t>(first);
  const auto& skip = skips_[i];
  auto bytes = prefix_[static_cast<std::size_t>(op)].rings - prefix_[i].rings;
  if (skip.add > first && skip.add <= op) bytes -= skip.ring_bytes;  // whole: it comes from before the segment
  if (first == 0 && image_streamed_) bytes += operators_[0]->ring_bytes;
  return bytes;
}

/// The peak when the parts between the cuts are segments and nothing overlaps.
std::int64_t ChainCut::each_alone() const {
  std::int64_t peak = 0;
  for (std::size_t c = 0; c + 1 < cuts_.size(); ++c) {
    const auto first = cuts_[c];
    const auto last = cuts_[c + 1] - 1;
    std::int64_t kernels = 0;
    std::int64_t accumulators = 0;
    for (auto op = first; op <= last; ++op) {
      const auto& link = *operators_[static_cast<std::size_t>(op)];
      (link.accumulates ? accumulators : kernels) =
          link.accumulates ? accumulators + link.scratch : std::max<std::int64_t>(kernels, link.scratch);
    }
    peak = std::max(peak, whole_bytes(first, last) + ring_bytes(first, last) + accumulators + kernels);
  }
  return peak;
}

/// A segment of `bytes` without overlap offers a way to the cut behind `op`.
/// The overlap is worked out where it decides.
void ChainCut::relax(std::int32_t first, std::int32_t op, std::int64_t bytes, std::int64_t limit) {
  auto& there = peak_[static_cast<std::size_t>(op) + 1];
  const auto here = peak_[static_cast<std::size_t>(first)];
  const auto enough = std::min(there, limit);
  if (here >= enough) return;
  if (bytes > here) {
    const auto given_up = given_up_by(first);
    const bool overlaps = given_up.last_reader >= 0 && given_up.last_reader <= op;
    const auto most = overlaps ? std::min<std::int64_t>(operators_[static_cast<std::size_t>(op)]->bytes, given_up.bytes) : 0;
    if (bytes - most >= enough) return;
    if (overlaps) bytes -= saving(given_up, first, op);
  }
  there = std::min(there, std::max(here, bytes));
}

/// The least peak below `limit` of segments between some of the cuts, or
/// kNever.
std::int64_t ChainCut::shortest(std::int64_t limit, std::span<const std::int32_t> cuts) {
  peak_.assign(operators_.size() + 1, kNever);
  peak_[0] = 0;
  for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
    const auto first = cuts[c];
    if (peak_[static_cast<std::size_t>(first)] >= limit) continue;
    const auto accumulators_before = first == 0 ? 0 : prefix_[static_cast<std::size_t>(first) - 1].accumulators;
    std::int64_t kernels = 0;
    auto op = first;
    for (auto d = c + 1; d < cuts.size(); ++d) {
      for (; op < cuts[d]; ++op) {
        const auto& link = *operators_[static_cast<std::size_t>(op)];
        if (!link.accumulates) kernels = std::max<std::int64_t>(kernels, link.scratch);
      }
      const auto last = op - 1;
      const auto inner =
          ring_bytes(first, last) + kernels + prefix_[static_cast<std::size_t>(last)].accumulators - accumulators_before;
      if (inner >= limit) break;
      relax(first, last, whole_bytes(first, last) + inner, limit);
    }
    limit = std::min(limit, peak_.back());
  }
  return peak_.back();
}

}  // namespace tinynas
