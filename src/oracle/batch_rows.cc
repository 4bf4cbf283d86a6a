#include "oracle/batch_rows.h"

#include <algorithm>
#include <variant>

#include "graph/operators.h"
#include "oracle/scratch.h"

namespace tinynas {
namespace {

constexpr std::int32_t kBlockPixels = 16;  // pixels that a matrix kernel needs to run at full speed

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
  return std::min(height, (kBlockPixels + output[2] - 1) / output[2]);
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
    // All at once first; where that is too much, operator by operator, each as far as it goes.
    at_once = wanted;
    if (bytes.fits(segment, limit_bytes)) continue;
    at_once.assign(segment.operators.size(), 1);
    for (std::size_t i = 0; i < segment.operators.size(); ++i) {
      for (at_once[i] = wanted[i]; at_once[i] > 1 && !bytes.fits(segment, limit_bytes);) at_once[i] /= 2;
    }
  }
}

}  // namespace tinynas
