#include "oracle/streaming.h"

#include <algorithm>
#include <limits>

#include "oracle/batch_rows.h"
#include "oracle/scratch.h"

namespace tinynas {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// Rows of tensor t that must have been produced before row y of tensor `to` is complete, following all paths from t.
/// `need[u]` maps a tensor's row count to that number; here only its last rows matter, so it is kept per row.
using NeedTable = std::vector<std::vector<std::int32_t>>;

/// What the search knows of a network: sizes of every tensor whole and as the ring that it is when all of its readers stand
/// in its segment.
struct RingTable {
  std::vector<std::int64_t> ring_bytes;  // by tensor
  std::vector<std::int64_t> scratch;     // by operator
};

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

/// Grows one segment operator by operator and knows its bytes.
class GrowingSegment {
 public:
  GrowingSegment(const ScheduleInput& input, const RingTable& table, std::int32_t first, std::int32_t image)
      : rows_(input.rows), table_(table), first_(first), image_(first == 0 ? image : -1) {
    for (std::size_t t = 0; t < rows_.tensors.size(); ++t) {
      const auto& tensor = rows_.tensors[t];
      const bool before = tensor.graph_input || (tensor.producer >= 0 && tensor.producer < first);
      if (before && tensor.activation && tensor.last_reader >= first) whole_ += tensor.bytes;
    }
  }

  /// False when the operator cannot be part of this segment.
  bool add(std::int32_t op) {
    const auto& info = rows_.operators[static_cast<std::size_t>(op)];
    if (op > first_ && (info.mode == RowMode::whole || !fed(op) || driver_is_whole_)) return false;
    driver_is_whole_ = info.mode == RowMode::whole;
    for (const auto& access : rows_.inputs(op)) {
      const auto& tensor = rows_.tensor(access.tensor);
      if (!inside(access.tensor) || tensor.last_reader != op || closed_ == access.tensor) continue;
      closed_ = access.tensor;  // an operator may read one tensor twice
      whole_ -= tensor.bytes;
      rings_ += table_.ring_bytes[static_cast<std::size_t>(access.tensor)];
    }
    whole_ += rows_.tensor(info.output).bytes;
    const auto scratch = table_.scratch[static_cast<std::size_t>(op)];
    if (info.mode == RowMode::accumulate) {
      accumulators_ += scratch;
    } else {
      kernels_ = std::max(kernels_, scratch);
    }
    return true;
  }

  [[nodiscard]] std::int64_t bytes() const { return whole_ + rings_ + accumulators_ + kernels_; }

 private:
  [[nodiscard]] bool inside(std::int32_t tensor) const {
    return tensor == image_ || rows_.tensor(tensor).producer >= first_;
  }
  [[nodiscard]] bool fed(std::int32_t op) const {
    const auto inputs = rows_.inputs(op);
    return std::any_of(inputs.begin(), inputs.end(), [&](const RowAccess& access) { return inside(access.tensor); });
  }

  const RowGraph& rows_;
  const RingTable& table_;
  std::int32_t first_, image_;
  std::int32_t closed_ = -1;
  bool driver_is_whole_ = false;
  std::int64_t whole_ = 0, rings_ = 0, accumulators_ = 0, kernels_ = 0;
};

}  // namespace

std::vector<Segment> cut_into_segments(const ScheduleInput& input) {
  const auto table = make_ring_table(input);
  const auto image = streamed_image(input);
  const auto count = input.rows.operator_count();
  // peak[j]: the least peak of any cut of operators [0, j); sum breaks ties in favour of small segments overall.
  struct Best {
    std::int64_t peak = kNever, sum = kNever;
    std::int32_t from = -1;
  };
  std::vector<Best> best(static_cast<std::size_t>(count) + 1);
  best[0] = {0, 0, -1};
  for (std::int32_t i = 0; i < count; ++i) {
    const auto& here = best[static_cast<std::size_t>(i)];
    GrowingSegment segment(input, table, i, image);
    for (auto j = i; j < count && segment.add(j); ++j) {
      const auto bytes = segment.bytes();
      const auto peak = std::max(here.peak, bytes);
      const auto sum = here.sum + bytes;
      auto& there = best[static_cast<std::size_t>(j) + 1];
      if (peak < there.peak || (peak == there.peak && sum < there.sum)) there = {peak, sum, i};
    }
  }
  std::vector<Segment> segments;
  for (auto j = count; j > 0; j = best[static_cast<std::size_t>(j)].from) {
    Segment segment;
    for (auto op = best[static_cast<std::size_t>(j)].from; op < j; ++op) segment.operators.push_back(op);
    segments.push_back(std::move(segment));
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

Plan streaming_plan(const Graph& graph, const ScheduleOptions& options) {
  const auto rows = make_row_graph(graph);
  const ScheduleInput input{graph, rows, options};
  const auto segments = cut_into_segments(input);
  auto plan = make_plan(input, "streaming", segments);
  if (options.prefer == Prefer::memory) return plan;
  auto batched = segments;
  batch_rows(input, plan.arena_bytes, batched);
  auto fast = make_plan(input, "streaming", std::move(batched));
  return fast.arena_bytes <= plan.arena_bytes ? fast : plan;
}

}  // namespace tinynas
