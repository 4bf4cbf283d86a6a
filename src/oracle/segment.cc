#include "oracle/segment.h"

#include <algorithm>
#include <limits>

namespace tinynas {
namespace {

class RowOrder {
 public:
  RowOrder(const RowGraph& rows, const SegmentOrder& segment)
      : rows_(rows),
        segment_(segment),
        position_(rows.operators.size(), -1),
        produced_(rows.tensors.size(), 0),
        held_(rows.tensors.size(), 0),
        done_(rows.operators.size(), 0) {
    for (std::size_t i = 0; i < segment.operators.size(); ++i) {
      position_[static_cast<std::size_t>(segment.operators[i])] = static_cast<std::int32_t>(i);
    }
    for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
      const auto& tensor = rows.tensors[t];
      const bool inside = tensor.producer >= 0 && position_[static_cast<std::size_t>(tensor.producer)] >= 0;
      if (!inside && static_cast<std::int32_t>(t) != segment.streamed_image) produced_[t] = tensor.rows;
    }
  }

  bool run() {
    if (segment_.streamed_image >= 0) {
      for (std::int32_t y = 0; y < rows_.tensor(segment_.streamed_image).rows; ++y) produce(segment_.streamed_image, 1);
    } else {
      advance(segment_.operators.front());
    }
    return std::all_of(segment_.operators.begin(), segment_.operators.end(),
                       [&](std::int32_t op) { return produced_[output_of(op)] == rows_.tensors[output_of(op)].rows; });
  }

  SegmentRun take() { return {std::move(held_), distance_}; }

 private:
  [[nodiscard]] std::size_t output_of(std::int32_t op) const {
    return static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output);
  }

  [[nodiscard]] std::int32_t batch(std::int32_t op) const {
    const auto& info = rows_.operators[static_cast<std::size_t>(op)];
    if (info.mode == RowMode::whole) return rows_.tensor(info.output).rows;
    if (segment_.rows_at_once.empty()) return 1;
    return segment_.rows_at_once[static_cast<std::size_t>(position_[static_cast<std::size_t>(op)])];
  }

  /// The first row of `tensor` that a reader inside the segment still needs.
  [[nodiscard]] std::int32_t oldest_needed(std::int32_t tensor) const {
    std::int32_t oldest = std::numeric_limits<std::int32_t>::max();
    for (const auto reader : rows_.tensor(tensor).readers) {
      if (position_[static_cast<std::size_t>(reader)] < 0) continue;
      const auto& info = rows_.operators[static_cast<std::size_t>(reader)];
      const auto next = done_[static_cast<std::size_t>(reader)];
      if (info.mode == RowMode::accumulate) {
        oldest = std::min(oldest, next);
      } else if (next < rows_.tensor(info.output).rows) {
        for (const auto& access : rows_.inputs(reader)) {
          if (access.tensor == tensor) oldest = std::min(oldest, access.rows(next).begin);
        }
      }
    }
    return oldest;
  }

  void produce(std::int32_t tensor, std::int32_t count) {
    const auto t = static_cast<std::size_t>(tensor);
    const auto end = produced_[t] + count;
    held_[t] = std::max({held_[t], count, end - std::min(end, oldest_needed(tensor))});
    produced_[t] = end;
    for (const auto reader : rows_.tensor(tensor).readers) {
      if (position_[static_cast<std::size_t>(reader)] >= 0) advance(reader);
    }
  }

  [[nodiscard]] bool computable(std::int32_t op, std::int32_t last_row) const {
    for (const auto& access : rows_.inputs(op)) {
      if (access.rows(last_row).end > produced_[static_cast<std::size_t>(access.tensor)]) return false;
    }
    return true;
  }

  /// The next `count` rows of `tensor` are about to be written while everything not yet done still needs its inputs.
  void note_distance(std::int32_t tensor, std::int32_t count) {
    if (tensor != segment_.written || segment_.given_up < 0) return;
    const auto& out = rows_.tensor(tensor);
    const auto& in = rows_.tensor(segment_.given_up);
    const auto end = (produced_[static_cast<std::size_t>(tensor)] + count) * out.row_bytes;
    const auto freed = std::min(oldest_needed(segment_.given_up), in.rows) * in.row_bytes;
    if (freed < in.bytes) distance_ = std::max(distance_, end - freed);
  }

  /// Computes every row of `op` that has become computable; done_ counts output rows, of an accumulating operator input
  /// rows.
  void advance(std::int32_t op) {
    const auto& info = rows_.operators[static_cast<std::size_t>(op)];
    auto& done = done_[static_cast<std::size_t>(op)];
    if (info.mode == RowMode::accumulate) {
      const auto& input = rows_.inputs(op).front();
      const bool finished = done == input.height;
      done = produced_[static_cast<std::size_t>(input.tensor)];
      if (!finished && done == input.height) {
        note_distance(info.output, 1);
        produce(info.output, 1);
      }
      return;
    }
    const auto height = rows_.tensor(info.output).rows;
    while (done < height) {
      const auto count = std::min(batch(op), height - done);
      if (!computable(op, done + count - 1)) return;
      note_distance(info.output, count);
      done += count;
      // The rows just read are still in use while the new ones are written; they belong to other tensors.
      produce(info.output, count);
    }
  }

  const RowGraph& rows_;
  const SegmentOrder& segment_;
  std::vector<std::int32_t> position_;  // in the segment, -1: outside
  std::vector<std::int32_t> produced_;  // rows, by tensor
  std::vector<std::int32_t> held_;      // rows, by tensor
  std::vector<std::int32_t> done_;      // rows, by operator
  std::int64_t distance_ = 0;
};

}  // namespace

std::optional<SegmentRun> run_rows(const RowGraph& rows, const SegmentOrder& segment) {
  if (segment.operators.size() > 1) {
    for (const auto op : segment.operators) {
      if (rows.operators[static_cast<std::size_t>(op)].mode == RowMode::whole) return std::nullopt;
    }
  }
  RowOrder order(rows, segment);
  if (!order.run()) return std::nullopt;
  return order.take();
}

}  // namespace tinynas
