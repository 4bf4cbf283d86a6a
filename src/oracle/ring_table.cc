#include "oracle/ring_table.h"

#include <algorithm>
#include <limits>

#include "oracle/scratch.h"

namespace tinynas {
namespace {

/// Rows of tensor t that must have been produced before row y of tensor `to` is complete, following all paths from t.
/// `need[u]` maps a tensor's row count to that number; here only its last rows matter, so it is kept per row.
using NeedTable = std::vector<std::vector<std::int32_t>>;

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

/// need[op][r]: rows of `tensor` that must exist before row r of op's output; empty for operators that do not follow from
/// it.
NeedTable needs_from(const RowGraph& rows, std::int32_t tensor, std::int32_t last_op) {
  NeedTable need(rows.operators.size());
  std::vector<std::int32_t> op_of(rows.tensors.size(), -1);
  for (auto op = rows.tensor(tensor).readers.front(); op <= last_op; ++op) {
    const auto& info = rows.operators[static_cast<std::size_t>(op)];
    const auto height = rows.tensor(info.output).rows;
    std::vector<std::int32_t> mine(static_cast<std::size_t>(height), 0);
    bool follows = false;
    for (const auto& access : rows.inputs(op)) {
      const auto producer = rows.tensor(access.tensor).producer;
      const auto* through =
          access.tensor == tensor ? nullptr : (producer < 0 ? nullptr : &need[static_cast<std::size_t>(producer)]);
      if (access.tensor != tensor && (through == nullptr || through->empty())) continue;
      follows = true;
      for (std::int32_t r = 0; r < height; ++r) {
        const auto end = access.rows(r).end;
        const auto rows_needed = through == nullptr ? end : (end == 0 ? 0 : (*through)[static_cast<std::size_t>(end - 1)]);
        mine[static_cast<std::size_t>(r)] = std::max(mine[static_cast<std::size_t>(r)], rows_needed);
      }
    }
    if (follows) need[static_cast<std::size_t>(op)] = std::move(mine);
  }
  return need;
}

std::int64_t closed_ring(const RowGraph& rows, std::int32_t tensor) {
  const auto& info = rows.tensor(tensor);
  std::int32_t most = 1;
  if (info.readers.size() == 1 && rows.inputs(info.readers.front()).size() == 1) {
    const auto op = info.readers.front();
    const auto& access = rows.inputs(op).front();
    most = ring_rows(rows, tensor, op, [&](std::int32_t r) { return access.rows(r).end; });
  } else {
    const auto need = needs_from(rows, tensor, info.readers.back());
    for (const auto op : info.readers) {
      const auto& mine = need[static_cast<std::size_t>(op)];
      most = std::max(most, ring_rows(rows, tensor, op, [&](std::int32_t r) { return mine[static_cast<std::size_t>(r)]; }));
    }
  }
  return std::min(most, info.rows) * info.row_bytes;
}

}  // namespace

RingTable make_ring_table(const ScheduleInput& input) {
  const auto& rows = input.rows;
  const auto set = kernel_set(input.options.core);
  RingTable table;
  table.ring_bytes.resize(rows.tensors.size(), 0);
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    if (rows.tensors[t].activation && !rows.tensors[t].readers.empty()) {
      table.ring_bytes[t] = closed_ring(rows, static_cast<std::int32_t>(t));
    }
  }
  for (const auto& op : input.graph.operators) table.scratch.push_back(kernel_scratch(input.graph, op, set));
  return table;
}

}  // namespace tinynas
