#include "oracle/streaming/batch_rows.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "graph/formats.h"
#include "graph/operators.h"
#include "oracle/kernels/scratch.h"
#include "oracle/streaming/planar.h"

namespace tinynas {
namespace {

constexpr std::int32_t kBlockPixels = 16;   // pixels that a matrix kernel needs to run at full speed
constexpr std::int32_t kPackedPixels = 32;  // the same where weights of 4 bits are unpacked for them

/// Rows that the operator's kernel would like to compute together.
std::int32_t wanted_rows(const ScheduleInput& input, std::int32_t op) {
  const auto& info = input.rows.operators[static_cast<std::size_t>(op)];
  const auto& operation = input.graph.operators[static_cast<std::size_t>(op)];
  const auto& output = input.graph.tensors[static_cast<std::size_t>(info.output)].shape;
  if (info.mode != RowMode::rows || output.size() != 4) return 1;
  const auto height = output[1];
  if (const auto window = kernel_window(input.graph, operation);
      window && std::holds_alternative<DepthwiseConv2D>(operation.kind)) {
    if (window->kernel_h > TN_DSP_STRIP_ROWS) return 1;
    if (kernel_set(input.options.core) == TN_SET_HELIUM)
      return tn_helium_strips_of(window->kernel_h, window->kernel_w, window->window.stride_h, output[2], height).rows;
    return std::min(height, tn_dsp_strip_output_rows(window->kernel_h, window->window.stride_h, height));
  }
  const auto whole_blocks = 4 / std::gcd(output[2], 4);  // the fewest rows that make whole blocks of four pixels
  const auto pixels = whole_blocks * output[2];
  const bool packed =
      has_weights(operation) && input.graph.tensors[static_cast<std::size_t>(operation.inputs[1])].dtype == DType::s4;
  const auto wanted = packed ? kPackedPixels : kBlockPixels;
  return std::min(height, whole_blocks * ((wanted + pixels - 1) / pixels));
}

/// Doubles the rows of every operator in turn, up to those wanted, as long as the limit allows.
void grow(const SegmentBytes& bytes, std::int64_t limit_bytes, std::vector<std::int32_t> wanted, Segment& segment) {
  auto& at_once = segment.rows_at_once;
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto before = at_once[i];
      if (before >= wanted[i]) continue;
      at_once[i] = std::min(2 * before, wanted[i]);
      if (bytes.fits(segment, limit_bytes)) {
        grown = true;
      } else {
        at_once[i] = wanted[i] = before;
      }
    }
  }
}

/// Rows at once of one segment, as many as the limit allows. False when it does not fit with single rows either.
bool batch_segment(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments, std::size_t s) {
  auto& segment = segments[s];
  auto& at_once = segment.rows_at_once;
  std::vector<std::int32_t> wanted;
  for (const auto op : segment.operators) wanted.push_back(wanted_rows(input, op));
  const SegmentBytes bytes(input, segments, s);
  at_once = wanted;
  if (bytes.fits(segment, limit_bytes)) return true;
  at_once.assign(segment.operators.size(), 1);
  const bool fits = bytes.fits(segment, limit_bytes);
  // Whole blocks of pixels gain most; depthwise convolutions get what is left.
  auto blocks = wanted;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto op = static_cast<std::size_t>(segment.operators[i]);
    if (std::holds_alternative<DepthwiseConv2D>(input.graph.operators[op].kind)) blocks[i] = 1;
  }
  grow(bytes, limit_bytes, blocks, segment);
  grow(bytes, limit_bytes, wanted, segment);
  return fits;
}

/// What the steps of a segment cost beside the values that they compute, in instructions: setting up every channel, and
/// unpacking rows under a depthwise window that the step before had unpacked already.
std::int64_t step_overhead(const ScheduleInput& input, const Segment& segment) {
  constexpr std::int64_t kChannel = 20, kRow = 7;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < segment.operators.size(); ++i) {
    const auto& info = input.rows.operators[static_cast<std::size_t>(segment.operators[i])];
    const auto& operation = input.graph.operators[static_cast<std::size_t>(segment.operators[i])];
    const auto& output = input.graph.tensors[static_cast<std::size_t>(info.output)].shape;
    if (info.mode != RowMode::rows || output.size() != 4) continue;
    const std::int64_t steps = (output[1] + segment.rows_at_once[i] - 1) / segment.rows_at_once[i];
    std::int64_t of_channel = kChannel;
    if (const auto window = kernel_window(input.graph, operation);
        window && std::holds_alternative<DepthwiseConv2D>(operation.kind)) {
      const std::int64_t again = std::max(0, window->kernel_h - window->window.stride_h);
      of_channel += kChannel + again * (kRow + output[2] * window->window.stride_w * 3 / 4);
    }
    sum += steps * output[3] * of_channel;
  }
  return sum;
}

/// Joins a segment to the one behind it when the tensor between them would be a planar ring; false: not so, or no room.
bool join_for_planes(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments, std::size_t s) {
  if (s + 1 >= segments.size()) return false;
  const auto last = static_cast<std::size_t>(segments[s].operators.back());
  if (!planar_ring(input, input.rows.operators[last].output)) return false;
  auto joined = segments;
  const auto next = joined.begin() + static_cast<std::ptrdiff_t>(s) + 1;
  joined[s].operators.insert(joined[s].operators.end(), next->operators.begin(), next->operators.end());
  joined.erase(next);
  if (!batch_segment(input, limit_bytes, joined, s)) return false;
  segments = std::move(joined);
  return true;
}

/// Cuts a segment in two where its parts have room for so many rows more that the steps cost least; false: nowhere. Not
/// where that would make a planar ring a whole tensor, nor before a reader of the streamed image.
bool cut_for_rows(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments, std::size_t s) {
  const auto& operators = segments[s].operators;
  const auto image = streamed_image(input);
  const auto image_reader = image < 0 ? -1 : input.rows.tensor(image).last_reader;
  auto least = step_overhead(input, segments[s]);
  std::vector<Segment> best;
  for (std::size_t cut = 1; cut < operators.size(); ++cut) {
    if (operators[cut] <= image_reader) continue;
    const auto before = static_cast<std::size_t>(operators[cut - 1]);
    if (planar_ring(input, input.rows.operators[before].output)) continue;
    auto parts = segments;
    const auto at = operators.begin() + static_cast<std::ptrdiff_t>(cut);
    parts[s].operators.assign(operators.begin(), at);
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(s) + 1, Segment{{at, operators.end()}, {}, -1});
    if (!batch_segment(input, limit_bytes, parts, s) || !batch_segment(input, limit_bytes, parts, s + 1)) continue;
    const auto overhead = step_overhead(input, parts[s]) + step_overhead(input, parts[s + 1]);
    if (overhead >= least) continue;
    least = overhead;
    best = std::move(parts);
  }
  if (best.empty()) return false;
  segments = std::move(best);
  return true;
}

}  // namespace

void batch_rows(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments) {
  const auto set = kernel_set(input.options.core);
  if (set == TN_SET_PORTABLE) return;
  const bool in_strips = set == TN_SET_DSP || set == TN_SET_HELIUM;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    batch_segment(input, limit_bytes, segments, s);
    while (join_for_planes(input, limit_bytes, segments, s)) {
    }
    while (in_strips && cut_for_rows(input, limit_bytes, segments, s)) {
    }
  }
}

}  // namespace tinynas
