// An oracle whose answers a test can work out: SRAM is the published Act, Flash the weights.
#pragma once

#include <atomic>
#include <memory>

#include "graph/operators.h"
#include "graph/statistics.h"
#include "oracle/oracle.h"
#include "space/sample.h"
#include "space/spaces.h"

namespace tinynas::testing {

class FakeOracle final : public Oracle {
 public:
  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] Cost cost(const Graph& graph) const override {
    ++calls;
    Cost cost;
    cost.macs = graph_macs(graph);
    cost.sram_bytes = act_bytes(graph);
    cost.flash_bytes = weight_count(graph);
    cost.latency_us = static_cast<double>(cost.macs) / 100;
    return cost;
  }
  [[nodiscard]] std::optional<Plan> plan(const Graph&) const override { return std::nullopt; }

  mutable std::atomic<int> calls{0};
};

/// Small enough for quick tests, large enough (81 x 36 x ... points) to search in.
inline SearchSpace small_space() {
  SearchSpace space = tiny_space();
  space.name = "small";
  space.resolutions = {16, 24, 32};
  space.stages = {{16, 2, {1, 2, 3}, {3, 5, 7}, {2, 3, 4}}, {24, 2, {1, 2, 3}, {3, 5, 7}, {2, 3, 4}}};
  return space;
}

/// A made-up accuracy with a known best point: large kernels early, large expansions late, depth helps.
inline double made_up_accuracy(const SearchSpace& space, const Arch& arch) {
  double value = 0.01 * arch.resolution + arch.width;
  std::size_t block = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const std::int32_t deepest = space.stages[s].depths.back();
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      const BlockChoice& choice = arch.blocks[block + static_cast<std::size_t>(b)];
      value += 0.1 + (s == 0 ? 0.05 * choice.kernel : 0.08 * choice.expansion);
    }
    block += static_cast<std::size_t>(deepest);
  }
  return value;
}

}  // namespace tinynas::testing
