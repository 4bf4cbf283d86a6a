#include "oracle/streaming/ring_table.h"

#include <algorithm>
#include <limits>

#include "oracle/kernels/scratch.h"
#include "oracle/pixels.h"

namespace tinynas {
namespace {

/// need[op][r]: rows (columns) of a tensor that must exist before row (column) r of op's output, following all paths from
/// the tensor; empty for operators that do not follow from it.
using NeedTable = std::vector<std::vector<std::int32_t>>;

const RowTensor& output_of(const RowGraph& rows, std::int32_t op) {
  return rows.tensor(rows.operators[static_cast<std::size_t>(op)].output);
}

template <class Axis>
NeedTable needs_from(const RowGraph& rows, std::int32_t tensor) {
  NeedTable need(rows.operators.size());
  const auto& readers = rows.tensor(tensor).readers;
  for (auto op = readers.front(); op <= readers.back(); ++op) {
    const auto size = Axis::size(output_of(rows, op));
    std::vector<std::int32_t> mine(static_cast<std::size_t>(size), 0);
    bool follows = false;
    for (const auto& access : rows.inputs(op)) {
      const auto producer = rows.tensor(access.tensor).producer;
      const auto* through =
          access.tensor == tensor ? nullptr : (producer < 0 ? nullptr : &need[static_cast<std::size_t>(producer)]);
      if (access.tensor != tensor && (through == nullptr || through->empty())) continue;
      follows = true;
      for (std::int32_t r = 0; r < size; ++r) {
        const auto end = Axis::access(access).span(r).end;
        const auto needed = through == nullptr ? end : (end == 0 ? 0 : (*through)[static_cast<std::size_t>(end - 1)]);
        mine[static_cast<std::size_t>(r)] = std::max(mine[static_cast<std::size_t>(r)], needed);
      }
    }
    if (follows) need[static_cast<std::size_t>(op)] = std::move(mine);
  }
  return need;
}

/// Whether the tensor is read once, by an operator that reads nothing else: then what a row needs is its window.
bool read_alone(const RowGraph& rows, std::int32_t tensor) {
  const auto& readers = rows.tensor(tensor).readers;
  return readers.size() == 1 && rows.inputs(readers.front()).size() == 1;
}

/// Rows held for reader `op` when row y of t is written, all readers having done what the rows before y allow.
/// `need(r)` is how many rows of t must exist before row r of the reader is computed.
template <class Need>
std::int32_t ring_rows(const RowGraph& rows, std::int32_t tensor, std::int32_t op, Need need) {
  const auto& info = rows.operators[static_cast<std::size_t>(op)];
  if (info.mode == RowMode::accumulate) return 1;
  const auto height = rows.tensor(info.output).rows;
  std::int32_t most = 1;
  std::int32_t oldest = std::numeric_limits<std::int32_t>::max();
  for (const auto& access : rows.inputs(op)) {
    if (access.tensor != tensor) continue;
    std::int32_t next = 0;
    for (std::int32_t y = 0; y < access.height; ++y) {
      while (next < height && need(next) <= y) ++next;
      if (next == height) break;
      oldest = access.rows(next).begin;
      most = std::max(most, y + 1 - oldest);
    }
  }
  return most;
}

std::int64_t closed_rows(const RowGraph& rows, std::int32_t tensor) {
  const auto& info = rows.tensor(tensor);
  std::int32_t most = 1;
  if (read_alone(rows, tensor)) {
    const auto op = info.readers.front();
    const auto& access = rows.inputs(op).front();
    most = ring_rows(rows, tensor, op, [&](std::int32_t r) { return access.rows(r).end; });
  } else {
    const auto need = needs_from<Vertical>(rows, tensor);
    for (const auto op : info.readers) {
      const auto& mine = need[static_cast<std::size_t>(op)];
      most = std::max(most, ring_rows(rows, tensor, op, [&](std::int32_t r) { return mine[static_cast<std::size_t>(r)]; }));
    }
  }
  return std::min(most, info.rows) * info.row_bytes;
}

/// The most that a row (column) of the reader waits for beyond its own window.
template <class Axis>
std::int32_t ahead(const RowAccess& access, const std::vector<std::int32_t>& need) {
  std::int32_t most = 0;
  for (std::size_t r = 0; r < need.size(); ++r) {
    most = std::max(most, need[r] - Axis::access(access).span(static_cast<std::int32_t>(r)).end);
  }
  return most;
}

std::int64_t closed_pixels(const RowGraph& rows, std::int32_t tensor) {
  const auto& info = rows.tensor(tensor);
  if (info.band.rows > 1) {
    std::int64_t pixels = 0;
    for (const auto ring : banded_rings(rows, tensor)) pixels += ring;
    return pixels * info.pixel_bytes();
  }
  const bool alone = read_alone(rows, tensor);
  const auto vertical = alone ? NeedTable{} : needs_from<Vertical>(rows, tensor);
  const auto horizontal = alone ? NeedTable{} : needs_from<Horizontal>(rows, tensor);
  std::int64_t most = 1;
  for (const auto op : info.readers) {
    if (rows.operators[static_cast<std::size_t>(op)].mode == RowMode::accumulate) continue;
    for (const auto& access : rows.inputs(op)) {
      if (access.tensor != tensor) continue;
      const auto down = alone ? 0 : ahead<Vertical>(access, vertical[static_cast<std::size_t>(op)]);
      const auto right = alone ? 0 : ahead<Horizontal>(access, horizontal[static_cast<std::size_t>(op)]);
      most = std::max(most, raster_ring(info, access, output_of(rows, op).band, down, right));
    }
  }
  return most * info.pixel_bytes();
}

}  // namespace

RingTable make_ring_table(const ScheduleInput& input, Grain grain) {
  const auto& rows = input.rows;
  const auto set = kernel_set(input.options.core);
  RingTable table;
  table.grain = grain;
  table.ring_bytes.resize(rows.tensors.size(), 0);
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    const auto tensor = static_cast<std::int32_t>(t);
    if (!rows.tensors[t].activation || rows.tensors[t].readers.empty()) continue;
    table.ring_bytes[t] = grain == Grain::pixels ? closed_pixels(rows, tensor) : closed_rows(rows, tensor);
  }
  for (const auto& op : input.graph.operators) {
    table.kept.push_back(input.kept_bytes(table.kept.size()));
    table.scratch.push_back(grain == Grain::pixels ? pixel_kernel_scratch(input.graph, op)
                                                   : kernel_scratch(input.graph, op, set));
  }
  return table;
}

}  // namespace tinynas
