#include "oracle/growing_segment.h"

#include <algorithm>
#include <span>

namespace tinynas {

GrowingSegment::GrowingSegment(const ScheduleInput& input, const RingTable& table, std::int32_t image)
    : rows_(input.rows),
      table_(table),
      by_pixels_(table.grain == Grain::pixels),
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
  whole_ = live_before_[static_cast<std::size_t>(first)];
  rings_ = accumulators_ = kernels_ = saving_ = 0;
  choose_given_up();
}

/// The largest whole tensor that the first operator reads.
void GrowingSegment::choose_given_up() {
  given_up_ = -1;
  for (const auto& access : rows_.inputs(first_)) {
    if (access.tensor == pushed_ || rows_.tensor(access.tensor).graph_output) continue;
    if (given_up_ < 0 || rows_.tensor(access.tensor).bytes > rows_.tensor(given_up_).bytes) given_up_ = access.tensor;
  }
  if (given_up_ >= 0 && rows_.tensor(given_up_).readers.size() > kReaders) given_up_ = -1;
}

bool GrowingSegment::fed(std::int32_t op) const {
  const auto inputs = rows_.inputs(op);
  return std::any_of(inputs.begin(), inputs.end(), [&](const RowAccess& access) { return inside(access.tensor); });
}

bool GrowingSegment::add(std::int32_t op) {
  const auto& info = rows_.operators[static_cast<std::size_t>(op)];
  if (op > first_ && (info.mode == RowMode::whole || !fed(op) || driver_is_whole_)) return false;
  if (by_pixels_ && !info.by_pixels) return false;
  driver_is_whole_ = info.mode == RowMode::whole;
  for (const auto& access : rows_.inputs(op)) {
    const auto& tensor = rows_.tensor(access.tensor);
    if (!inside(access.tensor) || tensor.last_reader != op || closed_ == access.tensor) continue;
    closed_ = access.tensor;  // an operator may read one tensor twice
    whole_ -= tensor.bytes;
    rings_ += table_.ring_bytes[static_cast<std::size_t>(access.tensor)];
  }
  whole_ += rows_.tensor(info.output).bytes;
  const auto scratch = table_.scratch[static_cast<std::size_t>(op)];
  if (info.mode == RowMode::accumulate) {
    accumulators_ += scratch;
  } else {
    kernels_ = std::max(kernels_, scratch);
  }
  saving_ = 0;
  if (given_up_ >= 0) {
    track_progress(op);
    if (rows_.tensor(given_up_).last_reader <= op) saving_ = saving_of(op);
  }
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
      const auto through = [](const AxisProgress& from, const AxisAccess& axis) {
        if (axis.all) return AxisProgress{0, (axis.size - 1) * from.stride + from.shift};
        return AxisProgress{from.stride * axis.stride, (axis.extent - axis.pad - 1) * from.stride + from.shift};
      };
      const auto further = [](AxisProgress& so_far, const AxisProgress& other) {
        so_far = {std::max(so_far.stride, other.stride), std::max(so_far.shift, other.shift)};
      };
      further(mine[k].rows, through(source.rows, access.vertical()));
      further(mine[k].columns, through(source.columns, access.columns));
    }
  }
}

/// Rows at the start of the given-up tensor that a reader needs no more while `row` of the output is written.
std::int32_t GrowingSegment::freed_rows(const Progress& progress, std::int32_t reader, bool writes, std::int32_t row) const {
  const auto& tensor = rows_.tensor(given_up_);
  const auto& info = rows_.operators[static_cast<std::size_t>(reader)];
  const auto height = rows_.tensor(info.output).rows;
  // The operator that writes still reads what this row needs.
  const auto done = writes ? row : std::clamp(row * progress.rows.stride + progress.rows.shift, 0, height);
  auto oldest = tensor.rows;
  if (done == height) return oldest;
  for (const auto& access : rows_.inputs(reader)) {
    if (access.tensor == given_up_) oldest = std::min(oldest, access.rows(done).begin);
  }
  return oldest;
}

/// The same in pixels.
std::int32_t GrowingSegment::freed_pixels(const Progress& progress, std::int32_t reader, bool writes, Pixel at) const {
  const auto& tensor = rows_.tensor(given_up_);
  const PixelMap output(rows_.tensor(rows_.operators[static_cast<std::size_t>(reader)].output), !writes);
  const auto row = at.y * progress.rows.stride + progress.rows.shift;
  const auto column = at.x * progress.columns.stride + progress.columns.shift;
  std::int32_t done = 0;
  if (writes) {
    done = pixel_index(output, at);
  } else if (row > output.rows) {
    done = output.pixels();
  } else if (row > 0) {
    done = pixel_index(output, {row - 1, std::clamp(column, 1, output.columns) - 1}) + (column > 0 ? 1 : 0);
  }
  auto oldest = tensor.pixels();
  if (done == output.pixels()) return oldest;
  for (const auto& access : rows_.inputs(reader)) {
    if (access.tensor == given_up_) oldest = std::min(oldest, oldest_pixel(access, output, done));
  }
  return oldest;
}

/// Bytes at the start of the given-up tensor that are free while a row (pixel) of op's output is written, or all of them.
std::int64_t GrowingSegment::freed_bytes(const ProgressOfReaders& progress, std::int32_t op, Pixel at) const {
  const auto& tensor = rows_.tensor(given_up_);
  auto freed = by_pixels_ ? tensor.pixels() : tensor.rows;
  for (std::size_t k = 0; k < tensor.readers.size(); ++k) {
    const auto reader = tensor.readers[k];
    const bool writes = reader == op;
    if (writes && rows_.operators[static_cast<std::size_t>(reader)].mode == RowMode::accumulate) continue;
    freed = std::min(
        freed, by_pixels_ ? freed_pixels(progress[k], reader, writes, at) : freed_rows(progress[k], reader, writes, at.y));
  }
  return freed * (by_pixels_ ? tensor.pixel_bytes() : tensor.row_bytes);
}

/// Calls look_at(row, column) wherever the distance may be greatest: where some reader has just not begun to free rows
/// (columns), has just not finished, and at both ends.
template <class LookAt>
void GrowingSegment::visit_turns(const ProgressOfReaders& progress, const RowTensor& output, LookAt look_at) const {
  struct Turns {
    std::int32_t last;
    std::size_t count = 0;
    std::array<std::int32_t, 6 * kReaders + 2> at{};

    void add(const AxisProgress& done, std::int32_t reader_at, std::int32_t near) {
      if (done.stride == 0) return;
      const auto turn = (reader_at - done.shift) / done.stride;
      for (auto i = turn; i <= turn + near; ++i) insert(i);
    }
    void insert(std::int32_t turn) {
      if (turn < 0 || turn > last || count == at.size()) return;
      if (std::find(at.begin(), at.begin() + count, turn) == at.begin() + count) at[count++] = turn;
    }
    [[nodiscard]] std::span<const std::int32_t> all() const { return {at.data(), count}; }
  };
  Turns rows{output.rows - 1};
  Turns columns{by_pixels_ ? output.columns - 1 : 0};
  for (auto* turns : {&rows, &columns}) {
    turns->insert(0);
    turns->insert(turns->last);
  }
  const std::int32_t near = by_pixels_ ? 1 : 0;
  const auto& readers = rows_.tensor(given_up_).readers;
  for (std::size_t k = 0; k < readers.size(); ++k) {
    const auto& reader = rows_.tensor(rows_.operators[static_cast<std::size_t>(readers[k])].output);
    rows.add(progress[k].rows, reader.rows - 1, near);
    columns.add(progress[k].columns, reader.columns - 1, near);
    for (const auto& access : rows_.inputs(readers[k])) {
      if (access.tensor != given_up_) continue;
      rows.add(progress[k].rows, access.pad / std::max(1, access.stride), near);
      columns.add(progress[k].columns, access.columns.pad / std::max(1, access.columns.stride), near);
    }
  }
  for (const auto row : rows.all()) {
    for (const auto column : columns.all()) look_at(Pixel{row, column});
  }
}

/// Bytes of the last output that may lie over what is given up.
std::int64_t GrowingSegment::saving_of(std::int32_t op) const {
  const auto& out = rows_.tensor(rows_.operators[static_cast<std::size_t>(op)].output);
  const auto& in = rows_.tensor(given_up_);
  const auto& progress = progress_[static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output)];
  std::int64_t distance = 0;
  visit_turns(progress, out, [&](Pixel at) {
    const auto freed = freed_bytes(progress, op, at);
    const auto written = by_pixels_ ? (at.y * out.columns + at.x + 1) * out.pixel_bytes() : (at.y + 1) * out.row_bytes;
    if (freed < in.bytes) distance = std::max(distance, written - freed);
  });
  return overlap_saving(out.bytes, in.bytes, distance);
}

}  // namespace tinynas
