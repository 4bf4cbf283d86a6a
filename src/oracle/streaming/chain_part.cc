#include "oracle/streaming/chain_part.h"

#include <algorithm>
#include <string>

#include "graph/error.h"
#include "oracle/streaming/growing_segment.h"
#include "oracle/streaming/ring_table.h"

namespace tinynas {
namespace {

using Share = ChainPart::Share;

std::int32_t narrow(std::int64_t bytes) {
  if (bytes >= ChainPart::kNever) throw InputError("[chain] " + std::to_string(bytes) + " bytes: more than tables hold");
  return static_cast<std::int32_t>(bytes);
}

/// Works out one part in one grain.
class Builder {
 public:
  Builder(const ScheduleInput& input, const RingTable& table, std::int32_t first, ChainPart& part)
      : rows_(input.rows),
        table_(table),
        grain_(table.grain == Grain::pixels ? 1 : 0),
        first_(first),
        growing_(input, table, first == 0 ? streamed_image(input) : -1),
        part_(part) {}

  void set_paths() {
    const auto count = static_cast<std::size_t>(part_.count);
    for (std::size_t from = 0; from < count; ++from) {
      growing_.start(op_behind(from));
      for (auto to = from; to < count && growing_.add(op_behind(to)); ++to) {
        auto& least = part_.path[from][to + 1];
        least = std::min(least, narrow(growing_.bytes()));
      }
    }
  }

  void set_tails() {
    for (std::size_t cut = 0; cut < static_cast<std::size_t>(part_.count); ++cut) set_tail(cut, part_.tails[cut]);
  }

  /// Needs an operator before the part: a segment that begins there.
  void set_heads() {
    growing_.start(0);
    if (!growing_.add(0)) return;
    const auto outside = growing_.sums().whole;
    std::int64_t kernels = 0;
    MapProgress progress{{1, 0}, {1, 0}};
    for (std::size_t cut = 1; cut <= static_cast<std::size_t>(part_.count); ++cut) {
      const auto op = op_behind(cut - 1);
      if (!growing_.add(op)) return;
      const auto& info = rows_.operators[static_cast<std::size_t>(op)];
      if (info.mode != RowMode::accumulate) {
        kernels = std::max(kernels, table_.scratch[static_cast<std::size_t>(op)]);
      }
      const auto& access = rows_.inputs(op).back();  // of an ADD the one that comes later
      progress = {through(progress.rows, access.vertical()), through(progress.columns, access.columns)};
      auto& head = part_.heads[cut];
      head.share[grain_] = share(kernels, growing_.sums().rings, outside);
      head.written = OverlapMap(rows_.tensor(info.output));
      head.from_input = progress;
    }
  }

 private:
  [[nodiscard]] std::int32_t op_behind(std::size_t cut) const { return first_ + static_cast<std::int32_t>(cut); }

  /// `outside`: bytes of other parts.
  [[nodiscard]] Share share(std::int64_t kernels, std::int64_t least, std::int64_t outside) const {
    const auto& sums = growing_.sums();
    return {static_cast<std::int32_t>(narrow(sums.whole + sums.rings) - outside), narrow(least), narrow(sums.accumulators),
            narrow(kernels)};
  }

  void set_tail(std::size_t cut, ChainPart::Tail& tail) {
    const auto last = op_behind(static_cast<std::size_t>(part_.count) - 1);
    growing_.start(op_behind(cut));
    for (auto op = op_behind(cut); op <= last; ++op) {
      if (!growing_.add(op)) return;
    }
    const auto& sums = growing_.sums();
    tail.share[grain_] = share(sums.kernels, growing_.whole_before() + sums.rings, 0);
    const auto given_up = growing_.given_up(last);
    if (given_up < 0) return;
    tail.given_up = OverlapMap(rows_.tensor(given_up));
    const auto readers = growing_.readers_before(last);
    if (readers.all().size() > tail.readers.size()) throw InputError("[chain] a tensor with more than two readers");
    std::copy(readers.all().begin(), readers.all().end(), tail.readers.begin());
    tail.reader_count = static_cast<std::int32_t>(readers.all().size());
  }

  const RowGraph& rows_;
  const RingTable& table_;
  std::size_t grain_;
  std::int32_t first_;
  GrowingSegment growing_;
  ChainPart& part_;
};

/// Several segments from cut to cut.
void close_paths(ChainPart& part) {
  const auto cuts = static_cast<std::size_t>(part.count) + 1;
  for (std::size_t by = 1; by < cuts; ++by) {
    for (std::size_t from = 0; from < by; ++from) {
      for (auto to = by + 1; to < cuts; ++to) {
        part.path[from][to] = std::min(part.path[from][to], std::max(part.path[from][by], part.path[by][to]));
      }
    }
  }
}

}  // namespace

ChainPart make_chain_part(const ScheduleInput& input, std::int32_t first, std::int32_t count,
                          std::span<const Grain> grains) {
  ChainPart part;
  if (count > static_cast<std::int32_t>(ChainPart::kOperators)) {
    throw InputError("[chain] a part of " + std::to_string(count) + " operators: expected at most " +
                     std::to_string(ChainPart::kOperators));
  }
  part.count = count;
  for (auto& from : part.path) from.fill(ChainPart::kNever);
  constexpr Share kNot{.bytes = ChainPart::kNever};
  for (auto& tail : part.tails) tail.share.fill(kNot);
  for (auto& head : part.heads) head.share.fill(kNot);
  for (const auto grain : grains) {
    const auto table = make_ring_table(input, grain);
    Builder builder(input, table, first, part);
    builder.set_paths();
    builder.set_tails();
    if (first > 0) builder.set_heads();
  }
  close_paths(part);
  return part;
}

}  // namespace tinynas
