#include "oracle/batch_rows.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "graph/formats.h"
#include "graph/operators.h"
#include "oracle/scratch.h"

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

}  // namespace

void batch_rows(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments) {
  if (kernel_set(input.options.core) == TN_SET_PORTABLE) return;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    auto& segment = segments[s];
    auto& at_once = segment.rows_at_once;
    at_once.assign(segment.operators.size(), 1);
    std::vector<std::int32_t> wanted;
    for (const auto op : segment.operators) wanted.push_back(wanted_rows(input, op));
    const SegmentBytes bytes(input, segments, s);
    at_once = wanted;
    if (bytes.fits(segment, limit_bytes)) continue;
    // Whole blocks of pixels gain most; depthwise convolutions get what is left.
    at_once.assign(segment.operators.size(), 1);
    auto blocks = wanted;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto op = static_cast<std::size_t>(segment.operators[i]);
      if (std::holds_alternative<DepthwiseConv2D>(input.graph.operators[op].kind)) blocks[i] = 1;
    }
    grow(bytes, limit_bytes, blocks, segment);
    grow(bytes, limit_bytes, wanted, segment);
  }
}

}  // namespace tinynas
