#include "oracle/streaming/growing_segment.h"

#include <algorithm>
#include <span>

namespace tinynas {

GrowingSegment::GrowingSegment(const ScheduleInput& input, const RingTable& table, std::int32_t image)
    : rows_(input.rows),
      table_(table),
      image_(image),
      live_before_(input.rows.operators.size() + 1, 0),
      progress_(input.rows.tensors.size()) {
  std::vector<std::int64_t> change(live_before_.size() + 1, 0);
  for (const auto& tensor : rows_.tensors) {
    if (!tensor.activation || (tensor.producer < 0 && !tensor.graph_input)) continue;
    const auto from = tensor.producer + 1;
    const auto to = std::min(tensor.last_reader, rows_.operator_count());
    if (from > to) continue;
    change[static_cast<std::size_t>(from)] += tensor.bytes;
    change[static_cast<std::size_t>(to) + 1] -= tensor.bytes;
  }
  std::int64_t live = 0;
  for (std::size_t op = 0; op < live_before_.size(); ++op) live_before_[op] = live += change[op];
}

void GrowingSegment::start(std::int32_t first) {
  first_ = first;
  pushed_ = first == 0 ? image_ : -1;
  closed_ = -1;
  driver_is_whole_ = false;
  sums_ = {.whole = live_before_[static_cast<std::size_t>(first)]};
  whole_before_ = sums_.whole - (pushed_ >= 0 ? rows_.tensor(pushed_).bytes : 0);
  saving_ = 0;
  choose_given_up();
}

/// The largest whole tensor that the first operator reads.
void GrowingSegment::choose_given_up() {
  given_up_ = -1;
  for (const auto& access : rows_.inputs(first_)) {
    if (access.tensor == pushed_ || rows_.tensor(access.tensor).graph_output) continue;
    if (given_up_ < 0 || rows_.tensor(access.tensor).bytes > rows_.tensor(given_up_).bytes) given_up_ = access.tensor;
  }
  if (given_up_ < 0) return;
  const auto& readers = rows_.tensor(given_up_).readers;
  std::ptrdiff_t windows = 0;
  for (const auto reader : readers) {
    const auto inputs = rows_.inputs(reader);
    windows += std::count_if(inputs.begin(), inputs.end(), [&](const RowAccess& a) { return a.tensor == given_up_; });
  }
  if (readers.size() > kReaders || windows > std::ptrdiff_t{OverlapReaders::kMost}) given_up_ = -1;
}

bool GrowingSegment::fed(std::int32_t op) const {
  const auto inputs = rows_.inputs(op);
  return std::any_of(inputs.begin(), inputs.end(), [&](const RowAccess& access) { return inside(access.tensor); });
}

bool GrowingSegment::add(std::int32_t op) {
  const auto& info = rows_.operators[static_cast<std::size_t>(op)];
  if (op > first_ && (info.mode == RowMode::whole || !fed(op) || driver_is_whole_)) return false;
  if (table_.grain == Grain::pixels && !info.by_pixels) return false;
  driver_is_whole_ = info.mode == RowMode::whole;
  for (const auto& access : rows_.inputs(op)) {
    const auto& tensor = rows_.tensor(access.tensor);
    if (!inside(access.tensor) || tensor.last_reader != op || closed_ == access.tensor) continue;
    closed_ = access.tensor;  // an operator may read one tensor twice
    sums_.whole -= tensor.bytes;
    sums_.rings += table_.ring_bytes[static_cast<std::size_t>(access.tensor)];
  }
  sums_.whole += rows_.tensor(info.output).bytes;
  const auto scratch = table_.scratch[static_cast<std::size_t>(op)];
  sums_.accumulators += table_.kept[static_cast<std::size_t>(op)];
  if (info.mode == RowMode::accumulate) {
    sums_.accumulators += scratch;
  } else {
    sums_.kernels = std::max(sums_.kernels, scratch);
  }
  if (given_up_ >= 0) track_progress(op);
  saving_ = given_up(op) >= 0 ? saving_of(op) : 0;
  return true;
}

/// Composes the windows between every reader of the tensor that is given up and the output of `op`.
void GrowingSegment::track_progress(std::int32_t op) {
  const auto& info = rows_.operators[static_cast<std::size_t>(op)];
  const auto& readers = rows_.tensor(given_up_).readers;
  auto& mine = progress_[static_cast<std::size_t>(info.output)];
  for (std::size_t k = 0; k < readers.size(); ++k) {
    mine[k] = {};
    if (readers[k] == op) {
      mine[k] = {{1, 1}, {1, 1}};
      continue;
    }
    for (const auto& access : rows_.inputs(op)) {
      if (rows_.tensor(access.tensor).producer < first_) continue;
      const auto& source = progress_[static_cast<std::size_t>(access.tensor)][k];
      const auto further = [](AxisProgress& so_far, const AxisProgress& other) {
        so_far = {std::max(so_far.stride, other.stride), std::max(so_far.shift, other.shift)};
      };
      further(mine[k].rows, through(source.rows, access.vertical()));
      further(mine[k].columns, through(source.columns, access.columns));
    }
  }
}

/// The readers of what is given up, before rows of op's output. `goes_on`: op's output is read inside the segment.
OverlapReaders GrowingSegment::readers_until(std::int32_t op, bool goes_on) const {
  const auto& progress = progress_[static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output)];
  const auto& readers = rows_.tensor(given_up_).readers;
  OverlapReaders found;
  for (std::size_t k = 0; k < readers.size(); ++k) {
    const auto& reader = rows_.operators[static_cast<std::size_t>(readers[k])];
    const bool writes = readers[k] == op && !goes_on;
    if (writes && reader.mode == RowMode::accumulate) continue;  // all has been added up when it writes
    for (const auto& access : rows_.inputs(readers[k])) {
      if (access.tensor == given_up_) found.add({access, {rows_.tensor(reader.output), !writes}, progress[k], writes});
    }
  }
  return found;
}

/// Bytes of the last output that may lie over what is given up.
std::int64_t GrowingSegment::saving_of(std::int32_t op) const {
  const auto& written = rows_.tensor(rows_.operators[static_cast<std::size_t>(op)].output);
  return overlap_bytes(readers_until(op, false).all(), OverlapMap(rows_.tensor(given_up_)), OverlapMap(written),
                       table_.grain);
}

}  // namespace tinynas
