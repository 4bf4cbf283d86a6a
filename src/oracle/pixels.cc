#include "oracle/pixels.h"

#include <algorithm>

namespace tinynas {
namespace {

/// Rows [begin, end) of the band that holds row y.
RowSpan band_rows(const PixelMap& map, std::int32_t y) {
  const auto& band = map.band;
  const auto begin = y - (y - band.first) % band.rows;
  return {std::max(begin, 0), std::min(begin + band.rows, map.rows)};
}

const RowAccess* only_access(const RowGraph& rows, std::int32_t op, std::int32_t tensor) {
  const RowAccess* found = nullptr;
  for (const auto& access : rows.inputs(op)) {
    if (access.tensor != tensor) continue;
    if (found != nullptr) return nullptr;
    found = &access;
  }
  return found;
}

std::int64_t total(const std::vector<std::int32_t>& rings) {
  std::int64_t pixels = 0;
  for (const auto ring : rings) pixels += ring;
  return pixels;
}

std::vector<std::int32_t> rings_of(const RowTensor& tensor, const RowAccess& access) {
  const auto s = access.stride;
  std::vector<std::int32_t> rings(static_cast<std::size_t>(s), 0);
  for (std::int32_t i = 0; i < s; ++i) {
    const auto phase = ((i + access.extent - access.pad) % s + s) % s;  // of the i-th row of any band
    const auto rows = (tensor.rows - phase + s - 1) / s;
    const auto again = (access.extent - s + i) / s;
    rings[static_cast<std::size_t>(phase)] =
        std::min(again * tensor.columns + access.columns.extent, std::max(0, rows) * tensor.columns);
  }
  return rings;
}

}  // namespace

std::int32_t pixel_index(const PixelMap& map, Pixel pixel) {
  const auto band = band_rows(map, pixel.y);
  return band.begin * map.columns + pixel.x * (band.end - band.begin) + pixel.y - band.begin;
}

Pixel pixel_at(const PixelMap& map, std::int32_t index) {
  const auto band = band_rows(map, index / map.columns);
  const auto height = band.end - band.begin;
  const auto inside = index - band.begin * map.columns;
  return {band.begin + inside % height, inside / height};
}

std::int32_t pixels_needed(const PixelMap& input, const RowAccess& access, Pixel output) {
  const auto rows = access.rows(output.y);
  const auto columns = access.columns.span(output.x);
  if (rows.end == 0 || columns.end == 0) return 0;
  return pixel_index(input, {rows.end - 1, columns.end - 1}) + 1;
}

std::int32_t oldest_pixel(const RowAccess& access, const PixelMap& output, std::int32_t next) {
  if (next >= output.pixels()) return access.height * access.columns.size;
  const auto first_of = [&](std::int32_t y, std::int32_t x) {
    return access.rows(y).begin * access.columns.size + access.columns.span(x).begin;
  };
  const auto pixel = pixel_at(output, next);
  const auto band = band_rows(output, pixel.y);
  auto oldest = first_of(pixel.y, pixel.x);
  // A column that has been begun is finished first; the rows above it are then read from the next column on.
  if (pixel.y > band.begin && pixel.x + 1 < output.columns) oldest = std::min(oldest, first_of(band.begin, pixel.x + 1));
  if (band.end < output.rows) oldest = std::min(oldest, first_of(band.end, 0));
  return oldest;
}

std::vector<std::int32_t> banded_rings(const RowGraph& rows, std::int32_t tensor) {
  const auto& info = rows.tensor(tensor);
  return rings_of(info, *only_access(rows, info.readers.front(), tensor));
}

std::int64_t raster_ring(const RowTensor& input, const RowAccess& access, const Band& band, std::int32_t ahead_rows,
                         std::int32_t ahead_columns) {
  if (access.all) return input.pixels();
  const std::int64_t high = access.extent + (band.rows - 1) * access.stride + ahead_rows;
  const std::int64_t wide = access.columns.all ? input.columns : access.columns.extent + ahead_columns;
  return std::clamp<std::int64_t>((high - 1) * input.columns + wide, 1, input.pixels());
}

Band choose_band(const RowGraph& rows, std::int32_t tensor) {
  const auto& info = rows.tensor(tensor);
  if (info.producer < 0 || info.readers.size() != 1 || info.graph_output) return {};
  const auto& producer = rows.operators[static_cast<std::size_t>(info.producer)];
  const auto reader = info.readers.front();
  const auto& reads = rows.operators[static_cast<std::size_t>(reader)];
  const auto* access = only_access(rows, reader, tensor);
  if (access == nullptr || producer.mode != RowMode::rows || reads.mode != RowMode::rows || !producer.by_pixels ||
      !reads.by_pixels || access->all || access->columns.all || access->stride < 2 || access->extent < access->stride) {
    return {};
  }
  const auto s = access->stride;
  const Band band{s, (access->extent - access->pad) % s - s};
  auto saved = (raster_ring(info, *access, {}, 0, 0) - total(rings_of(info, *access))) * info.pixel_bytes();
  for (const auto& input : rows.inputs(info.producer)) {
    if (input.stride != 1 || input.columns.stride != 1) return {};
    const auto& source = rows.tensor(input.tensor);
    saved -= (raster_ring(source, input, band, 0, 0) - raster_ring(source, input, {}, 0, 0)) * source.pixel_bytes();
  }
  return saved > 0 ? Band{s, band.first > -s ? band.first : 0} : Band{};
}

}  // namespace tinynas
