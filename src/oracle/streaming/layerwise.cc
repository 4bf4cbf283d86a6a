#include "oracle/streaming/layerwise.h"

#include <vector>

#include "oracle/rows.h"
#include "oracle/streaming/schedule.h"

namespace tinynas {

Plan layerwise_plan(const Graph& graph, const ScheduleOptions& options) {
  const auto rows = make_row_graph(graph);
  std::vector<Segment> segments(graph.operators.size());
  for (std::size_t op = 0; op < segments.size(); ++op) segments[op].operators = {static_cast<std::int32_t>(op)};
  return make_plan({graph, rows, options}, "layerwise", std::move(segments));
}

}  // namespace tinynas
