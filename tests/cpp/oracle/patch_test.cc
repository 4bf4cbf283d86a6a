// The patch schedule against published figures and against counting by hand.
#include "oracle/accounts/patch.h"

#include <gtest/gtest.h>

#include "graph/operators.h"
#include "oracle/oracle.h"
#include "oracle/published.h"
#include "oracle/random_graphs.h"

namespace tinynas::testing {
namespace {

struct Patched {
  const char* name;
  double percent;  // extra MACs at most
  std::int64_t sram_bytes;
};

std::ostream& operator<<(std::ostream& stream, const Patched& net) { return stream << net.name << " " << net.percent; }

class PatchedNetwork : public ::testing::TestWithParam<Patched> {};

TEST_P(PatchedNetwork, NeedsWhatWasPublishedAtThatWork) {
  const auto graph = published_network(GetParam().name);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const auto cost = patch_cost(*graph, {.core = "", .mac_budget_percent = GetParam().percent});
  EXPECT_EQ(cost.sram_bytes, GetParam().sram_bytes) << cost.chosen;
  EXPECT_LE(static_cast<double>(cost.macs), static_cast<double>(graph_macs(*graph)) * (1 + GetParam().percent / 100));
}

INSTANTIATE_TEST_SUITE_P(Table, PatchedNetwork,
                         ::testing::Values(Patched{"mcunet-320kb-1mb_imagenet", 3, 222'898},
                                           Patched{"mcunet-320kb-1mb_imagenet", 18, 194'162},
                                           Patched{"mcunet-320kb-1mb_imagenet", 96, 131'314},
                                           Patched{"mcunet-256kb-1mb_imagenet", 1, 209'896},
                                           Patched{"mcunet-256kb-1mb_imagenet", 80, 92'498}));

/// 8x8x2 -> 3x3 conv -> 3x3 depthwise -> 1x1 conv: each of two patches a side computes 5 of the 8 rows of the first map.
TEST(Patch, CountsHalos) {
  GraphBuilder builder({1, 8, 8, 2});
  const auto x = builder.depthwise(builder.conv(0, 64, 3, 1), 3, 1);
  const auto graph = builder.finish({builder.classifier(builder.global_pool(builder.conv(x, 4, 1, 1)), 3)});
  const auto cost = patch_cost(graph, {.core = "", .mac_budget_percent = 100});
  EXPECT_EQ(cost.chosen, "2 x 2 patches of the first 3 operators");
  EXPECT_EQ(cost.layers[0].macs, 10 * 10 * 64 * 9 * 2);
  EXPECT_EQ(cost.layers[1].macs, 8 * 8 * 64 * 9);
  EXPECT_EQ(cost.macs, graph_macs(graph) + (10 * 10 - 64) * 64 * 9 * 2);
}

TEST(Patch, IsNeverAboveTinyEngineAndNeverWorseWithMoreWork) {
  int patched = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto graph = seed % 2 == 0 ? random_bottlenecks(seed) : random_graph(seed);
    auto before = make_oracle("tinyengine", {})->cost(graph).sram_bytes;
    for (const double percent : {0.0, 20.0, 100.0}) {
      const auto cost = make_oracle("patch", {.core = "", .mac_budget_percent = percent})->cost(graph);
      ASSERT_LE(cost.sram_bytes, before) << "seed " << seed;
      ASSERT_EQ(cost.sram_bytes, cost.activation_bytes + cost.scratch_bytes);
      patched += cost.chosen == "no patches" ? 0 : 1;
      before = cost.sram_bytes;
    }
  }
  EXPECT_GT(patched, 20);
}

}  // namespace
}  // namespace tinynas::testing
