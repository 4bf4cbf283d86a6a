#include "oracle/growing_segment.h"

#include <algorithm>

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
      mine[k] = {1, 1};
      continue;
    }
    for (const auto& access : rows_.inputs(op)) {
      if (rows_.tensor(access.tensor).producer < first_) continue;
      const auto& source = progress_[static_cast<std::size_t>(access.tensor)][k];
      Progress through{source.stride * access.stride, (access.extent - access.pad - 1) * source.stride + source.shift};
      if (access.all) through = {0, (access.height - 1) * source.stride + source.shift};
      mine[k] = {std::max(mine[k].stride, through.stride), std::max(mine[k].shift, through.shift)};
    }
  }
}

/// Bytes at the start of the given-up tensor that are free while `row` of op's output is written, or all of them.
std::int64_t GrowingSegment::freed_bytes(const ProgressOfReaders& progress, std::int32_t op, std::int32_t row) const {
  const auto& tensor = rows_.tensor(given_up_);
  auto oldest = tensor.rows;
  for (std::size_t k = 0; k < tensor.readers.size(); ++k) {
    const auto reader = tensor.readers[k];
    const auto& info = rows_.operators[static_cast<std::size_t>(reader)];
    const auto height = rows_.tensor(info.output).rows;
    auto done = std::clamp(row * progress[k].stride + progress[k].shift, 0, height);
    if (reader == op) done = row;  // it still reads what this row needs
    if (done == height || (info.mode == RowMode::accumulate && reader == op)) continue;
    for (const auto& access : rows_.inputs(reader)) {
      if (access.tensor == given_up_) oldest = std::min(oldest, access.rows(done).begin);
    }
  }
  return oldest * tensor.row_bytes;
}

/// Bytes of the last output that may lie over what is given up. The distance is greatest where some reader has just not
/// begun to free rows, has just not finished, or at the last row.
std::int64_t GrowingSegment::saving_of(std::int32_t op) const {
  const auto& out = rows_.tensor(rows_.operators[static_cast<std::size_t>(op)].output);
  const auto& in = rows_.tensor(given_up_);
  const auto& progress = progress_[static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output)];
  std::int64_t distance = 0;
  const auto look_at = [&](std::int32_t row) {
    row = std::clamp(row, 0, out.rows - 1);
    const auto freed = freed_bytes(progress, op, row);
    if (freed < in.bytes) distance = std::max(distance, (row + 1) * out.row_bytes - freed);
  };
  look_at(0);
  look_at(out.rows - 1);
  for (std::size_t k = 0; k < in.readers.size(); ++k) {
    const auto stride = progress[k].stride;
    if (stride == 0) continue;
    const auto& info = rows_.operators[static_cast<std::size_t>(in.readers[k])];
    const auto height = rows_.tensor(info.output).rows;
    look_at((height - 1 - progress[k].shift) / stride);
    for (const auto& access : rows_.inputs(in.readers[k])) {
      if (access.tensor == given_up_) look_at((access.pad / std::max(1, access.stride) - progress[k].shift) / stride);
    }
  }
  return overlap_saving(out.bytes, in.bytes, distance);
}

}  // namespace tinynas
