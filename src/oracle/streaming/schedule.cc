#include "oracle/streaming/schedule.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "oracle/accounting.h"
#include "oracle/kernels/scratch.h"
#include "oracle/lower_bound.h"
#include "oracle/pixels.h"
#include "oracle/streaming/constants.h"
#include "oracle/streaming/planar.h"
#include "oracle/streaming/segment.h"

namespace tinynas {
namespace {

/// First and last segment in which each tensor is touched; graph inputs from the start, graph outputs to the end.
struct Lifetimes {
  std::vector<std::int32_t> first, last;
};

Lifetimes find_lifetimes(const RowGraph& rows, const std::vector<Segment>& segments) {
  std::vector<std::int32_t> segment_of(rows.operators.size(), -1);
  for (std::size_t s = 0; s < segments.size(); ++s) {
    for (const auto op : segments[s].operators) segment_of[static_cast<std::size_t>(op)] = static_cast<std::int32_t>(s);
  }
  const auto at = [&](std::int32_t op) { return segment_of[static_cast<std::size_t>(op)]; };
  Lifetimes lifetimes{std::vector<std::int32_t>(rows.tensors.size(), 0), std::vector<std::int32_t>(rows.tensors.size(), 0)};
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    const auto& tensor = rows.tensors[t];
    lifetimes.first[t] = tensor.producer < 0 ? 0 : at(tensor.producer);
    lifetimes.last[t] = lifetimes.first[t];
    for (const auto reader : tensor.readers) lifetimes.last[t] = std::max(lifetimes.last[t], at(reader));
    if (tensor.graph_output) lifetimes.last[t] = static_cast<std::int32_t>(segments.size()) - 1;
  }
  return lifetimes;
}

bool in_arena(const RowTensor& tensor) { return tensor.activation && (tensor.producer >= 0 || tensor.graph_input); }

/// Whether the tensor lives in one segment that produces it row by row.
bool is_ring(const RowGraph& rows, const Lifetimes& lifetimes, std::int32_t t, std::int32_t image) {
  const auto& tensor = rows.tensor(t);
  const auto i = static_cast<std::size_t>(t);
  return (tensor.producer >= 0 || t == image) && lifetimes.first[i] == lifetimes.last[i] && !tensor.graph_output;
}

/// The whole tensor that dies in segment s and the one that is born there, each the largest of its kind; -1: none.
struct Ends {
  std::int32_t given_up = -1, written = -1;
};

Ends ends_of(const RowGraph& rows, const Lifetimes& lifetimes, std::int32_t s, std::int32_t image) {
  Ends ends;
  const auto larger = [&](std::int32_t a, std::int32_t b) { return b < 0 || rows.tensor(a).bytes > rows.tensor(b).bytes; };
  for (std::size_t i = 0; i < rows.tensors.size(); ++i) {
    const auto t = static_cast<std::int32_t>(i);
    const auto& tensor = rows.tensors[i];
    if (!in_arena(tensor) || is_ring(rows, lifetimes, t, image) || t == image) continue;
    const bool here_before = tensor.producer < 0 || lifetimes.first[i] < s;
    if (here_before && lifetimes.last[i] == s && !tensor.graph_output && larger(t, ends.given_up)) ends.given_up = t;
    if (tensor.producer >= 0 && lifetimes.first[i] == s && larger(t, ends.written)) ends.written = t;
  }
  return ends;
}

/// Buffers without offsets, and which of them may share bytes.
struct Layouts {
  std::vector<Buffer> buffers;
  std::vector<PackOverlap> overlaps;
};

/// The bytes of a ring of which `held` rows (pixels) lie in memory together.
void set_ring(const RowGraph& rows, std::int32_t held, Grain grain, Buffer& buffer) {
  const auto& tensor = rows.tensor(buffer.tensor);
  const auto rings = tensor.band.rows > 1 ? banded_rings(rows, buffer.tensor) : std::vector<std::int32_t>{held};
  if (grain == Grain::pixels && std::accumulate(rings.begin(), rings.end(), 0) < tensor.pixels()) {
    buffer.bytes = std::accumulate(rings.begin(), rings.end(), 0) * tensor.pixel_bytes();
    buffer.pixels = rings;
    buffer.rows = 1;
    buffer.row_bytes = buffer.bytes;
    return;
  }
  buffer.rows = std::min(held, tensor.rows);
  buffer.row_bytes = tensor.row_bytes;
  buffer.bytes = buffer.rows * buffer.row_bytes;
}

/// The same rows in planar layout.
void set_planar(const ScheduleInput& input, Buffer& buffer) {
  buffer.layout = Layout::planar;
  buffer.row_bytes = ring_row_bytes(input, buffer.tensor);
  buffer.bytes = buffer.rows * buffer.row_bytes;
}

/// One buffer per activation: rings inside segments, whole tensors between them.
Layouts make_layouts(const ScheduleInput& input, const std::vector<Segment>& segments, bool streamed) {
  const auto& rows = input.rows;
  const auto lifetimes = find_lifetimes(rows, segments);
  const auto image = streamed ? streamed_image(input) : -1;
  std::vector<std::int32_t> held(rows.tensors.size(), 0);
  std::vector<Grain> grain(rows.tensors.size(), Grain::rows);
  std::vector<std::pair<Ends, std::int64_t>> distances;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const auto& segment = segments[s];
    const auto ends = ends_of(rows, lifetimes, static_cast<std::int32_t>(s), image);
    const auto run = run_segment(
        rows, {segment.operators, segment.rows_at_once, s == 0 ? image : -1, ends.given_up, ends.written, segment.grain});
    if (!run) throw std::logic_error("[plan] segment " + std::to_string(s) + " cannot run");
    for (std::size_t t = 0; t < held.size(); ++t) {
      if (run->held[t] > 0) grain[t] = segment.grain;
      held[t] = std::max(held[t], run->held[t]);
    }
    if (ends.given_up >= 0 && ends.written >= 0) distances.emplace_back(ends, run->distance);
  }
  Layouts layouts;
  std::vector<std::int32_t> buffer_of(rows.tensors.size(), -1);
  for (std::size_t t = 0; t < rows.tensors.size(); ++t) {
    const auto& tensor = rows.tensors[t];
    if (!in_arena(tensor)) continue;
    Buffer buffer;
    buffer.tensor = static_cast<std::int32_t>(t);
    buffer.first_segment = lifetimes.first[t];
    buffer.last_segment = lifetimes.last[t];
    const bool ring = is_ring(rows, lifetimes, buffer.tensor, image);
    set_ring(rows, ring ? held[t] : tensor.rows, ring ? grain[t] : Grain::rows, buffer);
    if (ring && grain[t] == Grain::rows && planar_ring(input, buffer.tensor)) set_planar(input, buffer);
    buffer_of[t] = static_cast<std::int32_t>(layouts.buffers.size());
    layouts.buffers.push_back(buffer);
  }
  for (const auto& [ends, distance] : distances) {
    if (distance >= rows.tensor(ends.written).bytes) continue;
    layouts.overlaps.push_back(
        {buffer_of[static_cast<std::size_t>(ends.written)], buffer_of[static_cast<std::size_t>(ends.given_up)], distance});
  }
  return layouts;
}

void place(Plan& plan, std::span<const PackOverlap> overlaps, const PackOptions& options) {
  std::vector<PackItem> items;
  items.reserve(plan.buffers.size());
  for (const auto& buffer : plan.buffers) items.push_back({buffer.bytes, buffer.first_segment, buffer.last_segment + 1});
  const auto packing = pack(items, options, overlaps);
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) plan.buffers[i].offset = packing.offsets[i];
  plan.arena_bytes = packing.bytes;
}

/// Bytes of the arena that some buffer holds during each segment, those that two share counted once.
std::vector<std::int64_t> segment_live(const Plan& plan) {
  std::vector<std::int64_t> live;
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    for (const auto& buffer : plan.buffers) {
      const auto here = static_cast<std::int32_t>(s);
      if (buffer.first_segment <= here && here <= buffer.last_segment) {
        ranges.emplace_back(buffer.offset, buffer.offset + buffer.bytes);
      }
    }
    std::sort(ranges.begin(), ranges.end());
    std::int64_t bytes = 0;
    std::int64_t covered = 0;
    for (const auto& [begin, end] : ranges) {
      bytes += std::max<std::int64_t>(0, end - std::max(begin, covered));
      covered = std::max(covered, end);
    }
    live.push_back(bytes);
  }
  return live;
}

/// The operator of the segment whose own inputs and output are largest there.
std::int32_t heaviest_operator(const RowGraph& rows, const Plan& plan, const Segment& segment) {
  std::vector<std::int64_t> bytes(rows.tensors.size(), 0);
  for (const auto& buffer : plan.buffers) {
    if (buffer.tensor >= 0) bytes[static_cast<std::size_t>(buffer.tensor)] = buffer.bytes;
  }
  std::int32_t heaviest = segment.operators.front();
  std::int64_t most = -1;
  for (const auto op : segment.operators) {
    std::int64_t sum = bytes[static_cast<std::size_t>(rows.operators[static_cast<std::size_t>(op)].output)];
    for (const auto& access : rows.inputs(op)) sum += bytes[static_cast<std::size_t>(access.tensor)];
    if (sum > most) {
      most = sum;
      heaviest = op;
    }
  }
  return heaviest;
}

}  // namespace

std::int64_t live_bytes(const Plan& plan) {
  const auto live = segment_live(plan);
  return live.empty() ? 0 : *std::max_element(live.begin(), live.end());
}

std::int32_t streamed_image(const ScheduleInput& input) {
  const auto& graph = input.graph;
  if (!input.options.image_streamed || graph.inputs.size() != 1) return -1;
  const auto image = graph.inputs.front();
  const auto& tensor = input.rows.tensor(image);
  return tensor.rows > 1 && !tensor.readers.empty() && tensor.readers.front() == 0 && !tensor.graph_output ? image : -1;
}

std::int64_t segment_scratch(const ScheduleInput& input, const Segment& segment) {
  const auto set = kernel_set(input.options.core);
  std::int64_t accumulators = 0;
  std::int64_t kernels = 0;
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < segment.operators.size(); ++i) {
    const auto op = static_cast<std::size_t>(segment.operators[i]);
    kept += input.kept_bytes(op);
    const auto at_once = segment.rows_at_once.empty() ? 1 : segment.rows_at_once[i];
    const auto& operation = input.graph.operators[op];
    const auto bytes = segment.grain == Grain::pixels ? pixel_kernel_scratch(input.graph, operation)
                                                      : kernel_scratch(input.graph, operation, set, at_once);
    if (input.rows.operators[op].mode == RowMode::accumulate) {
      accumulators += bytes;
    } else {
      kernels = std::max(kernels, bytes);
    }
  }
  return accumulators + kernels + kept;
}

SegmentBytes::SegmentBytes(const ScheduleInput& input, const std::vector<Segment>& segments, std::size_t index)
    : input_(input), image_(index == 0 ? streamed_image(input) : -1) {
  const auto lifetimes = find_lifetimes(input.rows, segments);
  const auto s = static_cast<std::int32_t>(index);
  const auto ends = ends_of(input.rows, lifetimes, s, segments.empty() ? -1 : streamed_image(input));
  ends_given_up_ = ends.given_up;
  ends_written_ = ends.written;
  for (std::size_t t = 0; t < input.rows.tensors.size(); ++t) {
    const auto& tensor = input.rows.tensors[t];
    if (!in_arena(tensor) || lifetimes.first[t] > s || lifetimes.last[t] < s) continue;
    if (is_ring(input.rows, lifetimes, static_cast<std::int32_t>(t), image_)) {
      inner_.push_back(static_cast<std::int32_t>(t));
    } else {
      whole_bytes_ += tensor.bytes;
    }
  }
}

bool SegmentBytes::fits(const Segment& segment, std::int64_t limit_bytes) const {
  const auto run = run_segment(
      input_.rows, {segment.operators, segment.rows_at_once, image_, ends_given_up_, ends_written_, Grain::rows});
  if (!run) return false;
  auto bytes = whole_bytes_ + segment_scratch(input_, segment);
  for (const auto t : inner_) {
    const auto held = std::min(run->held[static_cast<std::size_t>(t)], input_.rows.tensor(t).rows);
    bytes += held * ring_row_bytes(input_, t);
  }
  if (ends_given_up_ >= 0 && ends_written_ >= 0) {
    bytes -=
        overlap_saving(input_.rows.tensor(ends_written_).bytes, input_.rows.tensor(ends_given_up_).bytes, run->distance);
  }
  return bytes <= limit_bytes;
}

Plan make_plan(const ScheduleInput& input, const std::string& schedule, std::vector<Segment> segments,
               const PackOptions& packing) {
  Plan plan;
  plan.schedule = schedule;
  plan.image_streamed = streamed_image(input) >= 0;
  auto layouts = make_layouts(input, segments, plan.image_streamed);
  plan.buffers = std::move(layouts.buffers);
  plan.segments = std::move(segments);
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    auto& segment = plan.segments[s];
    const auto bytes = segment_scratch(input, segment);
    if (bytes == 0) continue;
    segment.scratch = static_cast<std::int32_t>(plan.buffers.size());
    Buffer scratch;
    scratch.rows = 1;
    scratch.row_bytes = scratch.bytes = bytes;
    scratch.first_segment = scratch.last_segment = static_cast<std::int32_t>(s);
    plan.buffers.push_back(scratch);
  }
  place(plan, layouts.overlaps, packing);
  const auto live = segment_live(plan);
  const auto& peak = plan.segments[static_cast<std::size_t>(std::max_element(live.begin(), live.end()) - live.begin())];
  plan.scratch_bytes = peak.scratch < 0 ? 0 : plan.buffers[static_cast<std::size_t>(peak.scratch)].bytes;
  plan.peak_operator = heaviest_operator(input.rows, plan, peak);
  return plan;
}

Cost plan_cost(const ScheduleInput& input, const Plan& plan) {
  Cost cost = make_cost(input.graph);
  cost.sram_bytes = plan.arena_bytes;
  cost.scratch_bytes = plan.scratch_bytes;
  cost.activation_bytes = plan.arena_bytes - plan.scratch_bytes;
  cost.peak_operator = plan.peak_operator;
  cost.lower_bound_bytes = lower_bound_bytes(input.graph, input.rows, plan.image_streamed);
  const auto live = segment_live(plan);
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    for (const auto op : plan.segments[s].operators) cost.layers[static_cast<std::size_t>(op)].sram_bytes = live[s];
  }
  const auto constants = constant_bytes(input, plan);
  for (auto& layer : cost.layers) {
    layer.flash_bytes = constants[static_cast<std::size_t>(layer.op)];
    cost.flash_bytes += layer.flash_bytes;
  }
  return cost;
}

}  // namespace tinynas
