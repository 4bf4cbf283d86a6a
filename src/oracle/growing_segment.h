// A segment that grows operator by operator and knows its bytes at every length: the inner loop of the search for the best
// cut.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "oracle/pixels.h"
#include "oracle/ring_table.h"
#include "oracle/rows.h"
#include "oracle/schedule.h"

namespace tinynas {

class GrowingSegment {
 public:
  /// `image`: tensor whose rows are pushed, -1: none.
  GrowingSegment(const ScheduleInput& input, const RingTable& table, std::int32_t image);

  /// Begins an empty segment whose first operator will be `first`.
  void start(std::int32_t first);

  /// Appends the next operator; false when it cannot be part of this segment.
  bool add(std::int32_t op);

  /// Whole tensors, rings and scratch, less what the last operator's output may share with the tensor that dies here.
  [[nodiscard]] std::int64_t bytes() const { return whole_ + rings_ + accumulators_ + kernels_ - saving_; }

  /// What any longer segment with the same start takes at least.
  [[nodiscard]] std::int64_t least_bytes() const { return rings_ + accumulators_ + kernels_; }

 private:
  static constexpr std::size_t kReaders = 4;  // of the tensor that is given up; with more there is no overlap

  /// Rows (columns) of a reader that must be computed before row (column) r of a tensor: r * stride + shift, cut to the
  /// reader's size.
  struct AxisProgress {
    std::int32_t stride = 0, shift = 0;
  };
  struct Progress {
    AxisProgress rows, columns;
  };
  using ProgressOfReaders = std::array<Progress, kReaders>;

  [[nodiscard]] bool inside(std::int32_t tensor) const {
    return tensor == pushed_ || rows_.tensor(tensor).producer >= first_;
  }
  [[nodiscard]] bool fed(std::int32_t op) const;
  void choose_given_up();
  void track_progress(std::int32_t op);
  [[nodiscard]] std::int64_t saving_of(std::int32_t op) const;
  [[nodiscard]] std::int64_t freed_bytes(const ProgressOfReaders& progress, std::int32_t op, Pixel at) const;
  [[nodiscard]] std::int32_t freed_rows(const Progress& progress, std::int32_t reader, bool writes, std::int32_t row) const;
  [[nodiscard]] std::int32_t freed_pixels(const Progress& progress, std::int32_t reader, bool writes, Pixel at) const;
  template <class LookAt>
  void visit_turns(const ProgressOfReaders& progress, const RowTensor& output, LookAt look_at) const;

  const RowGraph& rows_;
  const RingTable& table_;
  const bool by_pixels_;
  std::int32_t image_ = -1;                  // of the first segment
  std::vector<std::int64_t> live_before_;    // by operator: whole tensors from before it that it or a later one reads
  std::vector<ProgressOfReaders> progress_;  // by tensor
  std::int32_t first_ = 0, pushed_ = -1, given_up_ = -1;
  std::int32_t closed_ = -1;
  bool driver_is_whole_ = false;
  std::int64_t whole_ = 0, rings_ = 0, accumulators_ = 0, kernels_ = 0, saving_ = 0;
};

}  // namespace tinynas
