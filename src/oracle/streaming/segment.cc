#include "oracle/streaming/segment.h"

#include <algorithm>
#include <limits>

#include "oracle/pixels.h"

namespace tinynas {
namespace {

/// What a segment's steps count: rows.
struct Rows {
  Rows(const RowGraph& /*rows*/, const std::vector<std::int32_t>& /*position*/) {}

  [[nodiscard]] static std::int32_t units(const RowTensor& tensor) { return tensor.rows; }
  [[nodiscard]] static std::int64_t unit_bytes(const RowTensor& tensor) { return tensor.row_bytes; }
  /// Units of the access' tensor that must exist before unit `last` of the operator's output.
  [[nodiscard]] static std::int32_t needed(std::int32_t /*op*/, const RowAccess& access, std::int32_t last) {
    return access.rows(last).end;
  }
  /// The first unit of the access' tensor that the operator's output from unit `next` on reads.
  [[nodiscard]] static std::int32_t oldest(std::int32_t /*op*/, const RowAccess& access, std::int32_t next) {
    return access.rows(next).begin;
  }
};

/// Pixels, in the order of their map.
class Pixels {
 public:
  Pixels(const RowGraph& rows, const std::vector<std::int32_t>& position) : rows_(rows) {
    for (const auto& tensor : rows.tensors) {
      maps_.emplace_back(tensor, std::all_of(tensor.readers.begin(), tensor.readers.end(), [&](std::int32_t reader) {
                           return position[static_cast<std::size_t>(reader)] >= 0;
                         }));
    }
  }

  [[nodiscard]] static std::int32_t units(const RowTensor& tensor) { return tensor.pixels(); }
  [[nodiscard]] static std::int64_t unit_bytes(const RowTensor& tensor) { return tensor.pixel_bytes(); }
  [[nodiscard]] std::int32_t needed(std::int32_t op, const RowAccess& access, std::int32_t last) const {
    return pixels_needed(maps_[static_cast<std::size_t>(access.tensor)], access, pixel_at(output(op), last));
  }
  [[nodiscard]] std::int32_t oldest(std::int32_t op, const RowAccess& access, std::int32_t next) const {
    return oldest_pixel(access, output(op), next);
  }

 private:
  [[nodiscard]] const PixelMap& output(std::int32_t op) const {
    return maps_[static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output)];
  }

  const RowGraph& rows_;
  std::vector<PixelMap> maps_;
};

template <class Grained>
class Order {
 public:
  Order(const RowGraph& rows, const SegmentOrder& segment)
      : rows_(rows),
        segment_(segment),
        position_(positions(rows, segment)),
        grain_(rows, position_),
        produced_(rows.tensors.size(), 0),
        held_(rows.tensors.size(), 0),
        done_(rows.operators.size(), 0) {
    for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
      const auto& tensor = rows.tensors[t];
      const bool inside = tensor.producer >= 0 && position_[static_cast<std::size_t>(tensor.producer)] >= 0;
      if (!inside && static_cast<std::int32_t>(t) != segment.streamed_image) produced_[t] = Grained::units(tensor);
    }
  }

  bool run() {
    if (segment_.streamed_image >= 0) {
      for (auto left = units(segment_.streamed_image); left > 0; --left) produce(segment_.streamed_image, 1);
    } else {
      advance(segment_.operators.front());
    }
    return std::all_of(segment_.operators.begin(), segment_.operators.end(), [&](std::int32_t op) {
      return produced_[output_of(op)] == units(static_cast<std::int32_t>(output_of(op)));
    });
  }

  SegmentRun take() { return {std::move(held_), distance_}; }

 private:
  static std::vector<std::int32_t> positions(const RowGraph& rows, const SegmentOrder& segment) {
    std::vector<std::int32_t> position(rows.operators.size(), -1);
    for (std::size_t i = 0; i < segment.operators.size(); ++i) {
      position[static_cast<std::size_t>(segment.operators[i])] = static_cast<std::int32_t>(i);
    }
    return position;
  }

  [[nodiscard]] std::size_t output_of(std::int32_t op) const {
    return static_cast<std::size_t>(rows_.operators[static_cast<std::size_t>(op)].output);
  }

  [[nodiscard]] std::int32_t units(std::int32_t tensor) const { return Grained::units(rows_.tensor(tensor)); }

  [[nodiscard]] std::int32_t batch(std::int32_t op) const {
    const auto& info = rows_.operators[static_cast<std::size_t>(op)];
    if (info.mode == RowMode::whole) return units(info.output);
    if (segment_.rows_at_once.empty()) return 1;
    return segment_.rows_at_once[static_cast<std::size_t>(position_[static_cast<std::size_t>(op)])];
  }

  /// The first unit of `tensor` that a reader inside the segment still needs.
  [[nodiscard]] std::int32_t oldest_needed(std::int32_t tensor) const {
    std::int32_t oldest = std::numeric_limits<std::int32_t>::max();
    for (const auto reader : rows_.tensor(tensor).readers) {
      if (position_[static_cast<std::size_t>(reader)] < 0) continue;
      const auto& info = rows_.operators[static_cast<std::size_t>(reader)];
      const auto next = done_[static_cast<std::size_t>(reader)];
      if (info.mode == RowMode::accumulate) {
        oldest = std::min(oldest, next);
      } else if (next < units(info.output)) {
        for (const auto& access : rows_.inputs(reader)) {
          if (access.tensor == tensor) oldest = std::min(oldest, grain_.oldest(reader, access, next));
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

  [[nodiscard]] bool computable(std::int32_t op, std::int32_t last) const {
    for (const auto& access : rows_.inputs(op)) {
      if (grain_.needed(op, access, last) > produced_[static_cast<std::size_t>(access.tensor)]) return false;
    }
    return true;
  }

  /// The next `count` units of `tensor` are about to be written while everything not yet done still needs its inputs.
  void note_distance(std::int32_t tensor, std::int32_t count) {
    if (tensor != segment_.written || segment_.given_up < 0) return;
    const auto& out = rows_.tensor(tensor);
    const auto& in = rows_.tensor(segment_.given_up);
    const auto end = (produced_[static_cast<std::size_t>(tensor)] + count) * Grained::unit_bytes(out);
    const auto freed = std::min(oldest_needed(segment_.given_up), Grained::units(in)) * Grained::unit_bytes(in);
    if (freed < in.bytes) distance_ = std::max(distance_, end - freed);
  }

  /// Computes every unit of `op` that has become computable; done_ counts units of the output, of an accumulating operator
  /// those of the input.
  void advance(std::int32_t op) {
    const auto& info = rows_.operators[static_cast<std::size_t>(op)];
    auto& done = done_[static_cast<std::size_t>(op)];
    if (info.mode == RowMode::accumulate) {
      const auto input = rows_.inputs(op).front().tensor;
      const bool finished = done == units(input);
      done = produced_[static_cast<std::size_t>(input)];
      if (!finished && done == units(input)) {
        note_distance(info.output, 1);
        produce(info.output, 1);
      }
      return;
    }
    const auto end = units(info.output);
    while (done < end) {
      const auto count = std::min(batch(op), end - done);
      if (!computable(op, done + count - 1)) return;
      note_distance(info.output, count);
      done += count;
      // What was just read is still in use while the new units are written; it belongs to other tensors.
      produce(info.output, count);
    }
  }

  const RowGraph& rows_;
  const SegmentOrder& segment_;
  std::vector<std::int32_t> position_;  // in the segment, -1: outside
  const Grained grain_;
  std::vector<std::int32_t> produced_;  // units, by tensor
  std::vector<std::int32_t> held_;      // units, by tensor
  std::vector<std::int32_t> done_;      // units, by operator
  std::int64_t distance_ = 0;
};

template <class Grained>
std::optional<SegmentRun> run_order(const RowGraph& rows, const SegmentOrder& segment) {
  Order<Grained> order(rows, segment);
  if (!order.run()) return std::nullopt;
  return order.take();
}

}  // namespace

std::optional<SegmentRun> run_segment(const RowGraph& rows, const SegmentOrder& segment) {
  for (const auto op : segment.operators) {
    const auto& info = rows.operators[static_cast<std::size_t>(op)];
    if (segment.operators.size() > 1 && info.mode == RowMode::whole) return std::nullopt;
    if (segment.grain == Grain::pixels && !info.by_pixels) return std::nullopt;
  }
  return segment.grain == Grain::pixels ? run_order<Pixels>(rows, segment) : run_order<Rows>(rows, segment);
}

}  // namespace tinynas
