// How far a segment's output may lie over the whole tensor that dies in that segment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "oracle/pixels.h"
#include "oracle/plan.h"
#include "oracle/rows.h"

namespace tinynas {

/// Rows (columns) of a reader that must be computed before row (column) r of a tensor: r * stride + shift, cut to the
/// reader's size.
struct AxisProgress {
  std::int32_t stride = 0, shift = 0;
};

/// What must be computed of a map before a row (column) of another one.
struct MapProgress {
  AxisProgress rows, columns;
};

/// An operator that reads the tensor given up, through one window.
struct OverlapReader {
  RowAccess access;
  PixelMap output;
  MapProgress done;     // of its output before a row (column) of the tensor written
  bool writes = false;  // it computes the tensor written itself
};

/// Those of one tensor; with more there is no overlap.
class OverlapReaders {
 public:
  static constexpr std::size_t kMost = 8;

  [[nodiscard]] std::span<const OverlapReader> all() const { return {readers_.data(), count_}; }
  [[nodiscard]] std::span<OverlapReader> all() { return {readers_.data(), count_}; }
  void add(const OverlapReader& reader) { readers_.at(count_++) = reader; }

 private:
  std::array<OverlapReader, kMost> readers_;
  std::size_t count_ = 0;
};

/// A whole tensor at an end of a segment.
struct OverlapMap {
  std::int32_t rows = 1, columns = 1;
  std::int64_t row_bytes = 0;

  OverlapMap() = default;
  explicit OverlapMap(const RowTensor& tensor) : rows(tensor.rows), columns(tensor.columns), row_bytes(tensor.row_bytes) {}
  [[nodiscard]] std::int64_t bytes() const { return rows * row_bytes; }
  [[nodiscard]] std::int32_t pixels() const { return rows * columns; }
  [[nodiscard]] std::int64_t pixel_bytes() const { return row_bytes / columns; }
};

/// Bytes of `written` that may lie over `given_up` when `written` begins first: no value is written over one that a reader
/// still needs. `given_up` must be read by all of `readers` and by nothing else.
[[nodiscard]] std::int64_t overlap_bytes(std::span<const OverlapReader> readers, const OverlapMap& given_up,
                                         const OverlapMap& written, Grain grain);

/// Progress through one more window: what `from` says of its input's rows (columns), for its output's.
[[nodiscard]] constexpr AxisProgress through(const AxisProgress& from, const AxisAccess& axis) {
  if (axis.all) return {0, (axis.size - 1) * from.stride + from.shift};
  return {from.stride * axis.stride, (axis.extent - axis.pad - 1) * from.stride + from.shift};
}

}  // namespace tinynas
