// Plans of random points of spaces: every one passes the checker, none is below the lower bound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "oracle/checker.h"
#include "oracle/oracle.h"
#include "oracle/random_graphs.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "space/spaces.h"

namespace tinynas::testing {
namespace {

TEST(ArchPlans, PassTheCheckerAndStayAboveTheBound) {
  auto space = mcunet_space();
  space.resolutions = {32, 48, 64};
  Rng rng(5);
  for (std::uint64_t i = 0; i < 20 * random_cases(); ++i) {
    const auto arch = sample(space, space.resolutions[i % 3], space.widths[i % space.widths.size()], rng);
    const auto graph = build_graph(space, arch);
    for (const auto prefer : {Prefer::memory, Prefer::speed}) {
      const std::string core = i % 2 == 0 ? "" : "cortex-m7";
      const auto oracle = make_oracle("streaming", {.image_streamed = i % 4 < 2, .prefer = prefer, .core = core});
      const auto plan = *oracle->plan(graph);
      ASSERT_THAT(check_plan(graph, plan, core), ::testing::IsEmpty()) << "network " << i;
      ASSERT_LE(oracle->cost(graph).lower_bound_bytes, plan.arena_bytes) << "network " << i;
    }
  }
}

}  // namespace
}  // namespace tinynas::testing
