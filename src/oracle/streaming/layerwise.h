// Layer by layer, as well as that can be done: one operator per segment, whole tensors, outputs written over the inputs that
// they replace row by row, one scratch in whatever space is dead, and the best packing.
#pragma once

#include "graph/graph.h"
#include "oracle/oracle.h"
#include "oracle/plan.h"

namespace tinynas {

[[nodiscard]] Plan layerwise_plan(const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
