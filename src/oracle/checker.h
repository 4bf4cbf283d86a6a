// The judge of plans: executes a plan's order row by row over an arena whose bytes remember which value they hold. Slow and
// plain; shares nothing with what makes plans but the graph's row arithmetic and the engine's scratch formulas.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "oracle/plan.h"

namespace tinynas {

/// What is wrong with the plan, at most `limit` findings; empty: the plan computes every value of the graph. Found are:
/// operators missing, doubled, or never fed; reads of a value that is not (or no longer) there; buffers outside the arena,
/// misaligned, too small or used outside their lifetime; scratch too small or over a live value. `core` says whose scratch
/// formulas hold.
[[nodiscard]] std::vector<std::string> check_plan(const Graph& graph, const Plan& plan, const std::string& core = "",
                                                  std::size_t limit = 8);

}  // namespace tinynas
