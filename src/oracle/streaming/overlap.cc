#include "oracle/streaming/overlap.h"

#include <algorithm>

#include "oracle/streaming/schedule.h"

namespace tinynas {
namespace {

/// Rows at the start of the given-up tensor that a reader needs no more while `row` of the output is written.
std::int32_t freed_rows(const OverlapReader& reader, std::int32_t row) {
  // The operator that writes still reads what this row needs.
  const auto& progress = reader.done.rows;
  const auto done = reader.writes ? row : std::clamp(row * progress.stride + progress.shift, 0, reader.output.rows);
  return done == reader.output.rows ? reader.access.height : reader.access.rows(done).begin;
}

/// The same in pixels.
std::int32_t freed_pixels(const OverlapReader& reader, Pixel at) {
  const auto& output = reader.output;
  const auto row = at.y * reader.done.rows.stride + reader.done.rows.shift;
  const auto column = at.x * reader.done.columns.stride + reader.done.columns.shift;
  std::int32_t done = 0;
  if (reader.writes) {
    done = pixel_index(output, at);
  } else if (row > output.rows) {
    done = output.pixels();
  } else if (row > 0) {
    done = pixel_index(output, {row - 1, std::clamp(column, 1, output.columns) - 1}) + (column > 0 ? 1 : 0);
  }
  return oldest_pixel(reader.access, output, done);
}

/// Rows (columns) where the distance may be greatest.
struct Turns {
  std::int32_t last;
  std::size_t count = 0;
  std::array<std::int32_t, 4 * OverlapReaders::kMost + 2> at{};

  void add(const AxisProgress& done, std::int32_t reader_at, std::int32_t near) {
    if (done.stride == 0) return;
    const auto turn = (reader_at - done.shift) / done.stride;
    for (auto i = turn; i <= turn + near; ++i) insert(i);
  }
  void insert(std::int32_t turn) {
    if (turn < 0 || turn > last) return;
    if (std::find(at.begin(), at.begin() + count, turn) == at.begin() + count) at[count++] = turn;
  }
  [[nodiscard]] std::span<const std::int32_t> all() const { return {at.data(), count}; }
};

/// Where some reader has just not begun to free rows (columns), has just not finished, and at both ends.
template <class Axis>
Turns turns_of(std::span<const OverlapReader> readers, std::int32_t last, std::int32_t near, Axis axis) {
  Turns turns{last};
  turns.insert(0);
  turns.insert(last);
  for (const auto& reader : readers) {
    const auto [done, window, size] = axis(reader);
    turns.add(done, size - 1, near);
    turns.add(done, window.pad / std::max(1, window.stride), near);
  }
  return turns;
}

struct AxisOfReader {
  AxisProgress done;
  AxisAccess window;
  std::int32_t size;  // of the reader's output
};

std::int64_t distance_by_rows(std::span<const OverlapReader> readers, const OverlapMap& given_up,
                              const OverlapMap& written) {
  const auto turns = turns_of(readers, written.rows - 1, 0, [](const OverlapReader& reader) {
    return AxisOfReader{reader.done.rows, reader.access.vertical(), reader.output.rows};
  });
  std::int64_t distance = 0;
  for (const auto row : turns.all()) {
    auto freed = given_up.rows;
    for (const auto& reader : readers) freed = std::min(freed, freed_rows(reader, row));
    if (freed < given_up.rows) distance = std::max(distance, (row + 1) * written.row_bytes - freed * given_up.row_bytes);
  }
  return distance;
}

std::int64_t distance_by_pixels(std::span<const OverlapReader> readers, const OverlapMap& given_up,
                                const OverlapMap& written) {
  const auto rows = turns_of(readers, written.rows - 1, 1, [](const OverlapReader& reader) {
    return AxisOfReader{reader.done.rows, reader.access.vertical(), reader.output.rows};
  });
  const auto columns = turns_of(readers, written.columns - 1, 1, [](const OverlapReader& reader) {
    return AxisOfReader{reader.done.columns, reader.access.columns, reader.output.columns};
  });
  const auto given_up_pixel = given_up.pixel_bytes();
  const auto written_pixel = written.pixel_bytes();
  std::int64_t distance = 0;
  for (const auto y : rows.all()) {
    for (const auto x : columns.all()) {
      auto freed = given_up.pixels();
      for (const auto& reader : readers) freed = std::min(freed, freed_pixels(reader, {y, x}));
      if (freed == given_up.pixels()) continue;
      distance = std::max(distance, (y * written.columns + x + 1) * written_pixel - freed * given_up_pixel);
    }
  }
  return distance;
}

}  // namespace

std::int64_t overlap_bytes(std::span<const OverlapReader> readers, const OverlapMap& given_up, const OverlapMap& written,
                           Grain grain) {
  const auto distance =
      grain == Grain::pixels ? distance_by_pixels(readers, given_up, written) : distance_by_rows(readers, given_up, written);
  return overlap_saving(written.bytes(), given_up.bytes(), distance);
}

}  // namespace tinynas
