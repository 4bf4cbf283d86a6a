#include "oracle/checker.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "graph/operators.h"
#include "oracle/checked_arena.h"
#include "oracle/kernels/scratch.h"
#include "oracle/rows.h"

namespace tinynas {
namespace {

/// A rectangle of an input.
struct Window2D {
  RowRange rows, columns;
};

class Simulation {
 public:
  Simulation(const Graph& graph, const Plan& plan, const std::string& core, std::size_t limit)
      : graph_(graph),
        plan_(plan),
        set_(kernel_set(core)),
        limit_(limit),
        arena_(graph, plan),
        complete_(graph.tensors.size(), false),
        order_(graph.tensors.size()),
        number_(graph.tensors.size()),
        produced_(graph.tensors.size(), 0),
        done_(graph.operators.size(), 0),
        runs_(graph.operators.size(), 0) {}

  std::vector<std::string> run() {
    for (auto& problem : arena_.check_buffers()) fail(std::move(problem));
    check_cover();
    if (!problems_.empty()) return problems_;  // the arena cannot be addressed, or the order is not one
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
  [[nodiscard]] const Segment& segment() const { return plan_.segments[static_cast<std::size_t>(segment_)]; }
  [[nodiscard]] std::string text(std::int32_t op) const { return operator_text(graph_, static_cast<std::size_t>(op)); }
  [[nodiscard]] std::int32_t height(std::int32_t t) const { return row_count(tensor(t).shape); }
  [[nodiscard]] std::int32_t width(std::int32_t t) const { return column_count(tensor(t).shape); }
  [[nodiscard]] bool by_pixels() const { return segment().grain == Grain::pixels; }
  [[nodiscard]] bool constant(std::int32_t t) const { return t < 0 || tensor(t).constant; }

  void check_cover() {
    for (const auto& segment : plan_.segments) {
      if (segment.operators.empty()) fail("a segment without operators");
      if (!segment.rows_at_once.empty() &&
          (segment.rows_at_once.size() != segment.operators.size() || segment.grain == Grain::pixels)) {
        fail("rows_at_once is not parallel to the operators of a segment of rows");
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
    if (!constant(t) && !arena_.has(t)) fail("tensor " + std::to_string(t) + " has no buffer");
  }

  void start() {
    for (const auto input : graph_.inputs) {
      if (constant(input) || !arena_.has(input) || plan_.image_streamed) continue;
      for (std::int32_t y = 0; y < height(input); ++y) write(input, {y});
      complete_[static_cast<std::size_t>(input)] = true;
    }
  }

  void run_segment(std::size_t index) {
    segment_ = static_cast<std::int32_t>(index);
    const auto& operators = segment().operators;
    const bool pushed = index == 0 && plan_.image_streamed;
    check_scratch_size();
    if (pushed) set_order(graph_.inputs.front());
    for (const auto op : operators) set_order(operation(op).outputs.front());
    if (pushed) {
      const auto image = graph_.inputs.front();
      for (auto left = units(image); left > 0 && room(); --left) {
        produce(image, 1);
        feed_readers(image);
      }
      complete_[static_cast<std::size_t>(image)] = true;
    } else {
      advance(operators.front());
    }
    for (const auto op : operators) {
      const auto output = operation(op).outputs.front();
      if (produced_[static_cast<std::size_t>(output)] != units(output)) fail(text(op) + " did not compute all of its rows");
      complete_[static_cast<std::size_t>(output)] = true;
    }
  }

  /// Lists the places of a tensor in the order in which this segment computes them: bands end with the last row of a window
  /// of the only reader.
  void set_order(std::int32_t t) {
    auto& order = order_[static_cast<std::size_t>(t)];
    order.clear();
    const auto rings = static_cast<std::int32_t>(arena_.buffer(t).pixels.size());
    std::int32_t first = 0;
    for (std::int32_t y = 0; y < height(t); ++y) {
      if (!by_pixels()) {
        order.push_back({y});
      } else if (y + 1 == height(t) || rings < 2 || ends_window(t, y)) {
        for (std::int32_t x = 0; x < width(t); ++x) {
          for (auto row = first; row <= y; ++row) order.push_back({row, x});
        }
        first = y + 1;
      }
    }
    auto& number = number_[static_cast<std::size_t>(t)];
    number.assign(order.size(), 0);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto at = by_pixels() ? order[i].y * width(t) + order[i].x : order[i].y;
      number[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(i);
    }
  }

  [[nodiscard]] bool ends_window(std::int32_t t, std::int32_t y) const {
    const auto window = *kernel_window(graph_, *only_window_reader(graph_, t));
    const auto extent = (window.kernel_h - 1) * window.window.dilation_h + 1;
    return (y + window.window.padding.top + 1 - extent) % window.window.stride_h == 0;
  }

  [[nodiscard]] std::int32_t units(std::int32_t t) const {
    return static_cast<std::int32_t>(order_[static_cast<std::size_t>(t)].size());
  }

  [[nodiscard]] bool in_segment(std::int32_t op) const {
    const auto& operators = segment().operators;
    return std::find(operators.begin(), operators.end(), op) != operators.end();
  }

  [[nodiscard]] std::int32_t at_once(std::int32_t op) const {
    if (row_mode(graph_, operation(op)) == RowMode::whole) return units(operation(op).outputs.front());
    if (segment().rows_at_once.empty()) return 1;
    const auto place = std::find(segment().operators.begin(), segment().operators.end(), op) - segment().operators.begin();
    return segment().rows_at_once[static_cast<std::size_t>(place)];
  }

  void produce(std::int32_t t, std::int32_t count) {
    auto& produced = produced_[static_cast<std::size_t>(t)];
    for (std::int32_t i = 0; i < count; ++i)
      write(t, order_[static_cast<std::size_t>(t)][static_cast<std::size_t>(produced++)]);
  }

  void feed_readers(std::int32_t t) {
    for (std::int32_t op = 0; op < static_cast<std::int32_t>(graph_.operators.size()); ++op) {
      const auto& inputs = operation(op).inputs;
      if (in_segment(op) && std::find(inputs.begin(), inputs.end(), t) != inputs.end()) advance(op);
    }
  }

  /// What the output at `place` reads of input number `position`.
  [[nodiscard]] Window2D needed(std::int32_t op, std::size_t position, Place place) const {
    const auto& operation = this->operation(op);
    const auto input = operation.inputs[position];
    const RowRange all_rows{0, height(input)};
    const RowRange all_columns{0, width(input)};
    if (row_mode(graph_, operation) == RowMode::whole) return {all_rows, all_columns};
    return {input_rows(graph_, operation, position, place.y),
            place.x < 0 ? all_columns : input_columns(graph_, operation, position, place.x)};
  }

  void advance(std::int32_t op) {
    if (row_mode(graph_, operation(op)) == RowMode::accumulate) {
      accumulate(op);
      return;
    }
    const auto output = operation(op).outputs.front();
    auto& done = done_[static_cast<std::size_t>(op)];
    while (done < units(output) && room()) {
      const auto count = std::min(at_once(op), units(output) - done);
      if (!ready(op, done, count)) return;
      read_inputs(op, done, count);
      produce(output, count);
      clobber_scratch(op, count);
      read_inputs(op, done, count);  // a kernel may still read while it writes
      done += count;
      feed_readers(output);
    }
  }

  [[nodiscard]] bool ready(std::int32_t op, std::int32_t first, std::int32_t count) const {
    const auto& inputs = operation(op).inputs;
    const auto& order = order_[static_cast<std::size_t>(operation(op).outputs.front())];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (constant(inputs[i]) || complete_[static_cast<std::size_t>(inputs[i])]) continue;
      const auto window = needed(op, i, order[static_cast<std::size_t>(first + count - 1)]);
      if (!produced_up_to(inputs[i], window)) return false;
    }
    return true;
  }

  /// Whether the window's last row (pixel) has been computed.
  [[nodiscard]] bool produced_up_to(std::int32_t t, const Window2D& window) const {
    if (window.rows.end == 0 || (by_pixels() && window.columns.end == 0)) return true;
    const auto& number = number_[static_cast<std::size_t>(t)];
    const auto last = by_pixels() ? (window.rows.end - 1) * width(t) + window.columns.end - 1 : window.rows.end - 1;
    return static_cast<std::size_t>(last) < number.size() &&
           number[static_cast<std::size_t>(last)] < produced_[static_cast<std::size_t>(t)];
  }

  void read_inputs(std::int32_t op, std::int32_t first, std::int32_t count) {
    const auto& inputs = operation(op).inputs;
    const auto& order = order_[static_cast<std::size_t>(operation(op).outputs.front())];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (constant(inputs[i])) continue;
      const auto from = needed(op, i, order[static_cast<std::size_t>(first)]);
      const auto to = needed(op, i, order[static_cast<std::size_t>(first + count - 1)]);
      for (auto row = std::min(from.rows.first, to.rows.first); row < std::max(from.rows.end, to.rows.end); ++row) {
        if (!by_pixels()) read(op, inputs[i], {row});
        for (auto x = from.columns.first; by_pixels() && x < from.columns.end; ++x) read(op, inputs[i], {row, x});
      }
    }
  }

  /// Takes what has arrived into the sums, then writes the only output row.
  void accumulate(std::int32_t op) {
    const auto input = operation(op).inputs.front();
    if (complete_[static_cast<std::size_t>(input)]) set_order(input);
    const auto& order = order_[static_cast<std::size_t>(input)];
    const auto arrived =
        complete_[static_cast<std::size_t>(input)] ? units(input) : produced_[static_cast<std::size_t>(input)];
    auto& taken = done_[static_cast<std::size_t>(op)];
    const auto [offset, bytes] = accumulators(op);
    const bool finished = taken == units(input);
    while (taken < arrived) {
      if (taken > 0) check_sums(op, offset, bytes);
      read(op, input, order[static_cast<std::size_t>(taken++)]);
      arena_.put(offset, bytes, op);
    }
    if (finished || taken != units(input)) return;
    check_sums(op, offset, bytes);
    produce(operation(op).outputs.front(), 1);
    feed_readers(operation(op).outputs.front());
  }

  void check_sums(std::int32_t op, std::int64_t offset, std::int64_t bytes) {
    if (!arena_.holds_own(offset, bytes, op)) fail(text(op) + ": its sums were overwritten");
  }

  [[nodiscard]] std::int64_t scratch_of(const Operator& op, std::int32_t count) const {
    return by_pixels() ? pixel_kernel_scratch(graph_, op) : kernel_scratch(graph_, op, set_, count);
  }

  /// Where the sums of `op` lie: {offset, bytes}.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> accumulators(std::int32_t op) const {
    auto offset = segment().scratch < 0 ? 0 : plan_.buffers[static_cast<std::size_t>(segment().scratch)].offset;
    for (const auto other : segment().operators) {
      if (row_mode(graph_, operation(other)) != RowMode::accumulate) continue;
      const auto bytes = scratch_of(operation(other), 1);
      if (other == op) return {offset, bytes};
      offset += bytes;
    }
    return {offset, 0};
  }

  void check_scratch_size() {
    std::int64_t sums = 0;
    std::int64_t kernels = 0;
    for (std::size_t i = 0; i < segment().operators.size(); ++i) {
      const auto& op = operation(segment().operators[i]);
      const bool accumulates = row_mode(graph_, op) == RowMode::accumulate;
      const auto bytes = scratch_of(op, segment().rows_at_once.empty() ? 1 : segment().rows_at_once[i]);
      (accumulates ? sums : kernels) = accumulates ? sums + bytes : std::max(kernels, bytes);
    }
    const bool there = segment().scratch >= 0 && segment().scratch < static_cast<std::int32_t>(plan_.buffers.size());
    const auto bytes = there ? plan_.buffers[static_cast<std::size_t>(segment().scratch)].bytes : 0;
    if (sums + kernels > bytes) {
      fail("segment " + std::to_string(segment_) + " needs " + std::to_string(sums + kernels) + " bytes of scratch, has " +
           std::to_string(bytes));
      problems_.resize(std::max(problems_.size(), limit_), "not run");  // its addresses would be wrong
    }
  }

  void clobber_scratch(std::int32_t op, std::int32_t count) {
    const auto bytes = scratch_of(operation(op), count);
    if (bytes > 0 && segment().scratch >= 0) arena_.forget(accumulators(-1).first, bytes);
  }

  /// False after a complaint: the segment may not touch this tensor.
  bool alive(std::int32_t t) {
    const auto& b = arena_.buffer(t);
    if (b.first_segment <= segment_ && segment_ <= b.last_segment) return true;
    fail("tensor " + std::to_string(t) + " is used in segment " + std::to_string(segment_) + ", outside its lifetime");
    return false;
  }

  void write(std::int32_t t, Place place) {
    if (alive(t)) arena_.write(t, place);
  }

  void read(std::int32_t op, std::int32_t t, Place place) {
    if (!alive(t) || arena_.holds(t, place)) return;
    fail(text(op) + " reads row " + std::to_string(place.y) + (place.x < 0 ? "" : ", pixel " + std::to_string(place.x)) +
         " of tensor " + std::to_string(t) + ", which is not there");
  }

  void check_outputs() {
    for (const auto output : graph_.outputs) {
      if (constant(output) || !arena_.has(output) || !room()) continue;
      for (std::int32_t y = 0; y < height(output) && room(); ++y) {
        if (!arena_.holds(output, {y})) fail("output tensor " + std::to_string(output) + " is overwritten at the end");
      }
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  tn_set set_;
  std::size_t limit_;
  CheckedArena arena_;
  std::vector<std::string> problems_;
  std::vector<bool> complete_;                     // by tensor: computed by an earlier segment, or there from the start
  std::vector<std::vector<Place>> order_;          // by tensor: of those computed in this segment
  std::vector<std::vector<std::int32_t>> number_;  // by tensor: row (pixel in raster order) -> its number in that order
  std::vector<std::int32_t> produced_;             // by tensor: places of its order
  std::vector<std::int32_t> done_;                 // by operator: places of its output, of an accumulating one those taken
  std::vector<std::int32_t> runs_;                 // segments that hold the operator
  std::int32_t segment_ = 0;
};

}  // namespace

std::vector<std::string> check_plan(const Graph& graph, const Plan& plan, const std::string& core, std::size_t limit) {
  return Simulation(graph, plan, core, limit).run();
}

}  // namespace tinynas
