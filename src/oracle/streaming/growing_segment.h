// A segment that grows operator by operator and knows its bytes at every length: the inner loop of the search for the best
// cut.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "oracle/rows.h"
#include "oracle/streaming/overlap.h"
#include "oracle/streaming/ring_table.h"
#include "oracle/streaming/schedule.h"

namespace tinynas {

/// Bytes that a segment takes: whole tensors, rings, what operators keep from step to step, the most scratch of a kernel.
struct SegmentSums {
  std::int64_t whole = 0, rings = 0, accumulators = 0, kernels = 0;
};

class GrowingSegment {
 public:
  /// `image`: tensor whose rows are pushed, -1: none.
  GrowingSegment(const ScheduleInput& input, const RingTable& table, std::int32_t image);

  /// Begins an empty segment whose first operator will be `first`.
  void start(std::int32_t first);

  /// Appends the next operator; false when it cannot be part of this segment.
  bool add(std::int32_t op);

  /// Whole tensors, rings and scratch, less what the last operator's output may share with the tensor that dies here.
  [[nodiscard]] std::int64_t bytes() const { return sums_.whole + inner_bytes() - saving_; }

  /// What any longer segment with the same start takes at least: overlap saves no more than the output takes.
  [[nodiscard]] std::int64_t least_bytes() const { return whole_before_ + inner_bytes(); }

  /// Whole tensors from before the segment.
  [[nodiscard]] std::int64_t whole_before() const { return whole_before_; }

  /// Whole tensors counted in full.
  [[nodiscard]] const SegmentSums& sums() const { return sums_; }

  /// The largest whole tensor that the first operator reads, if no operator behind `op` does; -1: none.
  [[nodiscard]] std::int32_t given_up(std::int32_t op) const {
    return given_up_ >= 0 && rows_.tensor(given_up_).last_reader <= op ? given_up_ : -1;
  }

  /// Its readers, in a segment that goes on behind `op`, the last operator so far: their progress before rows of op's
  /// output.
  [[nodiscard]] OverlapReaders readers_before(std::int32_t op) const { return readers_until(op, true); }

 private:
  static constexpr std::size_t kReaders = 4;  // of the tensor that is given up; with more there is no overlap
  using ProgressOfReaders = std::array<MapProgress, kReaders>;

  [[nodiscard]] std::int64_t inner_bytes() const { return sums_.rings + sums_.accumulators + sums_.kernels; }
  [[nodiscard]] bool inside(std::int32_t tensor) const {
    return tensor == pushed_ || rows_.tensor(tensor).producer >= first_;
  }
  [[nodiscard]] bool fed(std::int32_t op) const;
  void choose_given_up();
  void track_progress(std::int32_t op);
  [[nodiscard]] OverlapReaders readers_until(std::int32_t op, bool goes_on) const;
  [[nodiscard]] std::int64_t saving_of(std::int32_t op) const;

  const RowGraph& rows_;
  const RingTable& table_;
  std::int32_t image_ = -1;                  // of the first segment
  std::vector<std::int64_t> live_before_;    // by operator: whole tensors from before it that it or a later one reads
  std::vector<ProgressOfReaders> progress_;  // by tensor
  std::int32_t first_ = 0, pushed_ = -1, given_up_ = -1;
  std::int32_t closed_ = -1;
  bool driver_is_whole_ = false;
  SegmentSums sums_;
  std::int64_t whole_before_ = 0, saving_ = 0;
};

}  // namespace tinynas
