// Rings of single pixels: the finest grain at which values flow through a segment. Order of the pixels, closed forms of the
// rings.
//
// A tensor that an operator with a window of k x k reads is computed pixel by pixel in raster order. What it must hold is a
// run of that order, a ring of [(k - 1) * W + k] pixels of C values: one for a 1x1 operator, p * W + p + 1 for a residual
// that waits for a window with padding p.
//
// A window that moves down by s > 1 rows wants s new rows at a time, but of them only k columns. Where its input can be
// computed on demand, it is computed in bands of s rows (Band of rows.h), each ending with the last row of a window, and
// held in s rings, one for the rows y with the same y % s. A row that is the i-th of its band (0 <= i < s) is read by
// floor((k - s + i) / s) further bands, so its ring takes floor((k - s + i) / s) * W + k pixels; the sum over i is
// (k - s) * W + s * k (Hermite). The operator that computes it reads s rows of its own input at a time and costs
// (s - 1) * W pixels of that, when that is a ring too.
//
// Every ring is capped by its tensor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/rows.h"

namespace tinynas {

struct Pixel {
  std::int32_t y = 0, x = 0;
};

/// A map as a sequence of pixels. A tensor that its segment does not read itself is computed in raster order.
struct PixelMap {
  std::int32_t rows = 1, columns = 1;
  Band band;

  PixelMap() = default;
  PixelMap(const RowTensor& tensor, bool read_inside)
      : rows(tensor.rows), columns(tensor.columns), band(read_inside ? tensor.band : Band{}) {}
  [[nodiscard]] std::int32_t pixels() const { return rows * columns; }
};

/// Number of a pixel in the map's order, and back.
[[nodiscard]] std::int32_t pixel_index(const PixelMap& map, Pixel pixel);
[[nodiscard]] Pixel pixel_at(const PixelMap& map, std::int32_t index);

/// How many pixels of its input, in that map's order, an operator needs for a pixel of its output.
[[nodiscard]] std::int32_t pixels_needed(const PixelMap& input, const RowAccess& access, Pixel output);

/// The first pixel of its input, in raster order, that the pixels of `output` from number `next` on still read.
[[nodiscard]] std::int32_t oldest_pixel(const RowAccess& access, const PixelMap& output, std::int32_t next);

/// Pixels of each ring of a tensor in bands, by y % band.rows.
[[nodiscard]] std::vector<std::int32_t> banded_rings(const RowGraph& rows, std::int32_t tensor);

/// Pixels that a ring must hold when the operator with `access` and output in bands `band` reads it, its output row r being
/// computed when `ahead_rows` more rows, its column c when `ahead_columns` more columns than its own window's have been
/// produced: 0 unless another input of it comes later.
[[nodiscard]] std::int64_t raster_ring(const RowTensor& input, const RowAccess& access, const Band& band,
                                       std::int32_t ahead_rows, std::int32_t ahead_columns);

/// The order of a tensor's pixels that takes the least memory in the operators around it; raster where there is a choice of
/// equals. Called once the graph's operators are known.
[[nodiscard]] Band choose_band(const RowGraph& rows, std::int32_t tensor);

}  // namespace tinynas
