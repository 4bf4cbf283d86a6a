// Layer-wise plans that our engine runs for comparison: every tensor whole, one operator a segment.
#pragma once

#include <string>

#include "oracle/oracle.h"

namespace tinynas {

/// "layerwise": every operator from its inputs to another buffer. "tinyengine": depthwise convolutions take over their
/// input's bytes, channel by channel through a padded plane of scratch, and buffers are placed first-fit, largest first.
/// InputError for another name.
[[nodiscard]] Plan whole_tensor_plan(const Graph& graph, const std::string& schedule, const ScheduleOptions& options);

}  // namespace tinynas
