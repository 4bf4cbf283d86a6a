#include "oracle/checker.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "graph/operators.h"
#include "oracle/rows.h"
#include "oracle/scratch.h"

namespace tinynas {
namespace {

/// Which value a byte of the arena holds: byte `byte` of row `row` of tensor `tensor`; other owners are negative tensors.
using Tag = std::uint64_t;
constexpr Tag kNothing = ~Tag{0};

Tag make_tag(std::int64_t owner, std::int64_t row, std::int64_t byte) {
  return static_cast<Tag>(owner) << 44U | static_cast<Tag>(row) << 28U | static_cast<Tag>(byte);
}

std::int64_t natural_row_bytes(const Tensor& tensor) {
  std::int64_t values = 1;
  for (const auto dimension : tensor.shape) values *= dimension;
  const auto bits = values / row_count(tensor.shape) * dtype_bits(tensor.dtype);
  return (bits + 7) / 8;
}

class Simulation {
 public:
  Simulation(const Graph& graph, const Plan& plan, const std::string& core, std::size_t limit)
      : graph_(graph),
        plan_(plan),
        set_(kernel_set(core)),
        limit_(limit),
        buffer_of_(graph.tensors.size(), -1),
        produced_(graph.tensors.size(), 0),
        done_(graph.operators.size(), 0),
        taken_(graph.operators.size(), 0),
        runs_(graph.operators.size(), 0) {}

  std::vector<std::string> run() {
    check_buffers();
    check_cover();
    if (!problems_.empty()) return problems_;  // the arena cannot be addressed, or the order is not one
    arena_.assign(static_cast<std::size_t>(plan_.arena_bytes), kNothing);
    start();
    for (std::size_t s = 0; s < plan_.segments.size() && room(); ++s) run_segment(s);
    check_outputs();
    return problems_;
  }

 private:
  [[nodiscard]] bool room() const { return problems_.size() < limit_; }
  void fail(std::string problem) {
    if (room()) problems_.push_back(std::move(problem));
  }
  [[nodiscard]] const Tensor& tensor(std::int32_t t) const { return graph_.tensors[static_cast<std::size_t>(t)]; }
  [[nodiscard]] const Operator& operation(std::int32_t op) const { return graph_.operators[static_cast<std::size_t>(op)]; }
  [[nodiscard]] std::string text(std::int32_t op) const { return operator_text(graph_, static_cast<std::size_t>(op)); }
  [[nodiscard]] std::int32_t height(std::int32_t t) const { return row_count(tensor(t).shape); }
  [[nodiscard]] const Buffer& buffer(std::int32_t t) const {
    return plan_.buffers[static_cast<std::size_t>(buffer_of_[static_cast<std::size_t>(t)])];
  }
  [[nodiscard]] bool constant(std::int32_t t) const { return t < 0 || tensor(t).constant; }

  void check_buffers() {
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      const auto& buffer = plan_.buffers[b];
      const auto name = "buffer " + std::to_string(b);
      if (buffer.offset < 0 || buffer.bytes < 0 || buffer.offset + buffer.bytes > plan_.arena_bytes)
        fail(name + " leaves the arena");
      if (buffer.offset % 4 != 0) fail(name + " is not aligned to 4 bytes");
      if (buffer.rows < 1 || buffer.rows * buffer.row_bytes > buffer.bytes) fail(name + " is smaller than its rows");
      if (buffer.tensor < 0) continue;
      if (buffer.tensor >= static_cast<std::int32_t>(graph_.tensors.size())) {
        fail(name + " belongs to no tensor");
        continue;
      }
      auto& slot = buffer_of_[static_cast<std::size_t>(buffer.tensor)];
      if (slot >= 0) fail(name + ": its tensor has another buffer");
      slot = static_cast<std::int32_t>(b);
      if (buffer.row_bytes < natural_row_bytes(tensor(buffer.tensor))) fail(name + " has rows smaller than the tensor's");
    }
  }

  void check_cover() {
    for (const auto& segment : plan_.segments) {
      if (segment.operators.empty()) fail("a segment without operators");
      if (!segment.rows_at_once.empty() && segment.rows_at_once.size() != segment.operators.size()) {
        fail("rows_at_once is not parallel to the operators");
      }
      for (const auto op : segment.operators) {
        if (op < 0 || op >= static_cast<std::int32_t>(runs_.size())) {
          fail("a segment names operator " + std::to_string(op));
          return;
        }
        ++runs_[static_cast<std::size_t>(op)];
      }
    }
    for (std::size_t op = 0; op < runs_.size(); ++op) {
      if (runs_[op] != 1)
        fail(text(static_cast<std::int32_t>(op)) + " stands in " + std::to_string(runs_[op]) + " segments");
      for (const auto t : graph_.operators[op].inputs) require_buffer(t);
      for (const auto t : graph_.operators[op].outputs) require_buffer(t);
    }
  }

  void require_buffer(std::int32_t t) {
    if (!constant(t) && buffer_of_[static_cast<std::size_t>(t)] < 0) fail("tensor " + std::to_string(t) + " has no buffer");
  }

  void start() {
    for (const auto input : graph_.inputs) {
      if (constant(input) || buffer_of_[static_cast<std::size_t>(input)] < 0 || plan_.image_streamed) continue;
      for (std::int32_t y = 0; y < height(input); ++y) write_row(input, y);
      produced_[static_cast<std::size_t>(input)] = height(input);
    }
  }

  void run_segment(std::size_t index) {
    segment_ = static_cast<std::int32_t>(index);
    const auto& operators = plan_.segments[index].operators;
    check_scratch_size();
    if (index == 0 && plan_.image_streamed) {
      const auto image = graph_.inputs.front();
      for (std::int32_t y = 0; y < height(image) && room(); ++y) {
        produce(image, 1);
        feed_readers(image);
      }
    } else {
      advance(operators.front());
    }
    for (const auto op : operators) {
      const auto output = operation(op).outputs.front();
      if (produced_[static_cast<std::size_t>(output)] != height(output)) fail(text(op) + " did not compute all of its rows");
    }
  }

  [[nodiscard]] bool in_segment(std::int32_t op) const {
    const auto& operators = plan_.segments[static_cast<std::size_t>(segment_)].operators;
    return std::find(operators.begin(), operators.end(), op) != operators.end();
  }

  [[nodiscard]] std::int32_t at_once(std::int32_t op) const {
    const auto& segment = plan_.segments[static_cast<std::size_t>(segment_)];
    if (row_mode(graph_, operation(op)) == RowMode::whole) return height(operation(op).outputs.front());
    if (segment.rows_at_once.empty()) return 1;
    const auto place = std::find(segment.operators.begin(), segment.operators.end(), op) - segment.operators.begin();
    return segment.rows_at_once[static_cast<std::size_t>(place)];
  }

  void produce(std::int32_t t, std::int32_t count) {
    for (std::int32_t i = 0; i < count; ++i) write_row(t, produced_[static_cast<std::size_t>(t)] + i);
    produced_[static_cast<std::size_t>(t)] += count;
  }

  void feed_readers(std::int32_t t) {
    for (std::int32_t op = 0; op < static_cast<std::int32_t>(graph_.operators.size()); ++op) {
      const auto& inputs = operation(op).inputs;
      if (in_segment(op) && std::find(inputs.begin(), inputs.end(), t) != inputs.end()) advance(op);
    }
  }

  /// Rows [first, end) of input number `position` that output rows [y, y + count) read.
  [[nodiscard]] RowRange needed(std::int32_t op, std::size_t position, std::int32_t y, std::int32_t count) const {
    if (row_mode(graph_, operation(op)) == RowMode::whole) return {0, height(operation(op).inputs[position])};
    const auto first = input_rows(graph_, operation(op), position, y);
    const auto last = input_rows(graph_, operation(op), position, y + count - 1);
    return {std::min(first.first, last.first), std::max(first.end, last.end)};
  }

  void advance(std::int32_t op) {
    if (row_mode(graph_, operation(op)) == RowMode::accumulate) {
      accumulate(op);
      return;
    }
    const auto output = operation(op).outputs.front();
    auto& done = done_[static_cast<std::size_t>(op)];
    while (done < height(output) && room()) {
      const auto count = std::min(at_once(op), height(output) - done);
      if (!ready(op, done, count)) return;
      read_inputs(op, done, count);
      produce(output, count);
      clobber_scratch(op, count);
      read_inputs(op, done, count);  // a kernel may still read while it writes
      done += count;
      feed_readers(output);
    }
  }

  [[nodiscard]] bool ready(std::int32_t op, std::int32_t y, std::int32_t count) const {
    const auto& inputs = operation(op).inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!constant(inputs[i]) && needed(op, i, y, count).end > produced_[static_cast<std::size_t>(inputs[i])]) return false;
    }
    return true;
  }

  void read_inputs(std::int32_t op, std::int32_t y, std::int32_t count) {
    const auto& inputs = operation(op).inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (constant(inputs[i])) continue;
      const auto range = needed(op, i, y, count);
      for (auto row = range.first; row < range.end; ++row) read_row(op, inputs[i], row);
    }
  }

  /// Takes the rows that have arrived into the sums, then writes the only output row.
  void accumulate(std::int32_t op) {
    const auto input = operation(op).inputs.front();
    auto& taken = taken_[static_cast<std::size_t>(op)];
    const auto [offset, bytes] = accumulators(op);
    const bool finished = taken == height(input);
    while (taken < produced_[static_cast<std::size_t>(input)]) {
      if (taken > 0) check_sums(op, offset, bytes);
      read_row(op, input, taken++);
      for (std::int64_t b = 0; b < bytes; ++b) arena_[static_cast<std::size_t>(offset + b)] = sum_tag(op, b);
    }
    if (finished || taken != height(input)) return;
    check_sums(op, offset, bytes);
    produce(operation(op).outputs.front(), 1);
    feed_readers(operation(op).outputs.front());
  }

  [[nodiscard]] Tag sum_tag(std::int32_t op, std::int64_t byte) const {
    return make_tag(static_cast<std::int64_t>(graph_.tensors.size()) + op, 0, byte);
  }

  void check_sums(std::int32_t op, std::int64_t offset, std::int64_t bytes) {
    for (std::int64_t b = 0; b < bytes; ++b) {
      if (arena_[static_cast<std::size_t>(offset + b)] != sum_tag(op, b)) {
        fail(text(op) + ": its sums were overwritten");
        return;
      }
    }
  }

  /// Where the sums of `op` lie: {offset, bytes}.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> accumulators(std::int32_t op) const {
    const auto& segment = plan_.segments[static_cast<std::size_t>(segment_)];
    auto offset = segment.scratch < 0 ? 0 : plan_.buffers[static_cast<std::size_t>(segment.scratch)].offset;
    for (const auto other : segment.operators) {
      if (row_mode(graph_, operation(other)) != RowMode::accumulate) continue;
      const auto bytes = kernel_scratch(graph_, operation(other), set_);
      if (other == op) return {offset, bytes};
      offset += bytes;
    }
    return {offset, 0};
  }

  void check_scratch_size() {
    const auto& segment = plan_.segments[static_cast<std::size_t>(segment_)];
    std::int64_t sums = 0;
    std::int64_t kernels = 0;
    for (std::size_t i = 0; i < segment.operators.size(); ++i) {
      const auto& op = operation(segment.operators[i]);
      const bool accumulates = row_mode(graph_, op) == RowMode::accumulate;
      const auto bytes = kernel_scratch(graph_, op, set_, segment.rows_at_once.empty() ? 1 : segment.rows_at_once[i]);
      (accumulates ? sums : kernels) = accumulates ? sums + bytes : std::max(kernels, bytes);
    }
    const bool there = segment.scratch >= 0 && segment.scratch < static_cast<std::int32_t>(plan_.buffers.size());
    const auto bytes = there ? plan_.buffers[static_cast<std::size_t>(segment.scratch)].bytes : 0;
    if (sums + kernels > bytes) {
      fail("segment " + std::to_string(segment_) + " needs " + std::to_string(sums + kernels) + " bytes of scratch, has " +
           std::to_string(bytes));
      problems_.resize(std::max(problems_.size(), limit_), "not run");  // its addresses would be wrong
    }
  }

  void clobber_scratch(std::int32_t op, std::int32_t count) {
    const auto& segment = plan_.segments[static_cast<std::size_t>(segment_)];
    const auto bytes = kernel_scratch(graph_, operation(op), set_, count);
    if (bytes == 0 || segment.scratch < 0) return;
    const auto begin = accumulators(-1).first;
    std::fill_n(arena_.begin() + begin, bytes, kNothing);
  }

  /// False after a complaint: the segment may not touch this tensor.
  bool alive(std::int32_t t) {
    const auto& b = buffer(t);
    if (b.first_segment <= segment_ && segment_ <= b.last_segment) return true;
    fail("tensor " + std::to_string(t) + " is used in segment " + std::to_string(segment_) + ", outside its lifetime");
    return false;
  }

  [[nodiscard]] std::int64_t slot(std::int32_t t, std::int32_t row) const {
    return buffer(t).offset + row % buffer(t).rows * buffer(t).row_bytes;
  }

  void write_row(std::int32_t t, std::int32_t row) {
    if (!alive(t)) return;
    const auto begin = slot(t, row);
    for (std::int64_t b = 0; b < buffer(t).row_bytes; ++b) arena_[static_cast<std::size_t>(begin + b)] = make_tag(t, row, b);
  }

  void read_row(std::int32_t op, std::int32_t t, std::int32_t row) {
    if (!alive(t)) return;
    const auto begin = slot(t, row);
    for (std::int64_t b = 0; b < buffer(t).row_bytes; ++b) {
      if (arena_[static_cast<std::size_t>(begin + b)] == make_tag(t, row, b)) continue;
      fail(text(op) + " reads row " + std::to_string(row) + " of tensor " + std::to_string(t) + ", which is not there");
      return;
    }
  }

  void check_outputs() {
    for (const auto output : graph_.outputs) {
      if (constant(output) || buffer_of_[static_cast<std::size_t>(output)] < 0 || !room()) continue;
      for (std::int32_t y = 0; y < height(output); ++y) {
        const auto begin = slot(output, y);
        if (arena_[static_cast<std::size_t>(begin)] != make_tag(output, y, 0) ||
            arena_[static_cast<std::size_t>(begin + buffer(output).row_bytes - 1)] !=
                make_tag(output, y, buffer(output).row_bytes - 1)) {
          fail("output tensor " + std::to_string(output) + " is overwritten at the end");
          return;
        }
      }
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  tn_set set_;
  std::size_t limit_;
  std::vector<std::string> problems_;
  std::vector<std::int32_t> buffer_of_;  // by tensor
  std::vector<std::int32_t> produced_;   // rows, by tensor
  std::vector<std::int32_t> done_;       // output rows, by operator
  std::vector<std::int32_t> taken_;      // input rows, by accumulating operator
  std::vector<std::int32_t> runs_;       // segments that hold the operator
  std::vector<Tag> arena_;
  std::int32_t segment_ = 0;
};

}  // namespace

std::vector<std::string> check_plan(const Graph& graph, const Plan& plan, const std::string& core, std::size_t limit) {
  return Simulation(graph, plan, core, limit).run();
}

}  // namespace tinynas
