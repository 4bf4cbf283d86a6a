// Recomputed tensors: what they cost, and that the plans of fused operators can run.
#include "oracle/streaming/recompute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/operators.h"
#include "oracle/checker.h"
#include "oracle/oracle.h"
#include "oracle/published.h"
#include "oracle/random_graphs.h"

namespace tinynas::testing {
namespace {

using ::testing::IsEmpty;

/// MACs of a 1x1 convolution whose rows are computed again for every row of the reader that wants them, counted one by one.
std::int64_t macs_counted(const Graph& graph, const Fusion& fusion) {
  const auto& reader = graph.operators[static_cast<std::size_t>(fusion.reader)];
  const auto& expand = graph.operators[static_cast<std::size_t>(fusion.expand)];
  const auto& mid = graph.tensors[static_cast<std::size_t>(expand.outputs.front())].shape;
  const auto in = graph.tensors[static_cast<std::size_t>(expand.inputs.front())].shape.back();
  const auto height = row_count(graph.tensors[static_cast<std::size_t>(reader.outputs.front())].shape);
  std::int64_t macs = 0;
  for (std::int32_t y = 0; y < height; ++y) {
    const auto range = input_rows(graph, reader, 0, y);
    for (auto row = range.first; row < range.end; ++row) macs += std::int64_t{mid[2]} * mid[3] * in;
  }
  return macs;
}

TEST(Recompute, CountsEveryRowThatIsComputed) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto graph = seed % 2 == 0 ? random_bottlenecks(seed) : random_graph(seed);
    for (const auto& fusion : find_fusions(graph, make_row_graph(graph))) {
      const auto once = operator_macs(graph, graph.operators[static_cast<std::size_t>(fusion.expand)]);
      ASSERT_EQ(once + fusion.extra_macs, macs_counted(graph, fusion)) << "seed " << seed;
      ++found;
    }
  }
  EXPECT_GT(found, 200);
}

TEST(Recompute, PlansOfFusedOperatorsPassTheChecker) {
  int fused = 0;
  for (std::uint64_t seed = 0; seed < 100 * random_cases(); ++seed) {
    const auto graph = seed % 2 == 0 ? random_bottlenecks(seed) : random_graph(seed);
    const ScheduleOptions options{.image_streamed = seed % 3 != 0, .core = ""};
    const auto plans = recompute_plans(graph, options);
    ASSERT_TRUE(plans.front().fusions.empty());
    for (const auto& plan : plans) {
      ASSERT_THAT(check_plan(plan.fused.graph, plan.plan), IsEmpty()) << "seed " << seed;
      ASSERT_EQ(plan.fused.graph.operators.size() + plan.fusions.size(), graph.operators.size());
      fused += plan.fusions.empty() ? 0 : 1;
    }
    for (std::size_t i = 1; i < plans.size(); ++i) {
      ASSERT_LT(plans[i].plan.arena_bytes, plans[i - 1].plan.arena_bytes);
      ASSERT_GT(plans[i].extra_macs, plans[i - 1].extra_macs);
    }
  }
  EXPECT_GT(fused, 20);
}

TEST(Recompute, MoreBudgetNeverNeedsMoreMemory) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto graph = random_bottlenecks(seed);
    auto before = make_oracle("streaming", {})->cost(graph);
    for (const double percent : {0.0, 10.0, 50.0, 200.0}) {
      const auto cost = make_oracle("streaming+recompute", {.core = "", .mac_budget_percent = percent})->cost(graph);
      ASSERT_LE(cost.sram_bytes, before.sram_bytes) << "seed " << seed << ", " << percent << " %";
      ASSERT_LE(static_cast<double>(cost.macs - graph_macs(graph)), static_cast<double>(graph_macs(graph)) * percent / 100);
      ASSERT_EQ(cost.sram_bytes, cost.activation_bytes + cost.scratch_bytes);
      before = cost;
    }
  }
}

struct Recomputed {
  const char* name;
  double percent;
  std::int64_t activations;  // at most
};

std::ostream& operator<<(std::ostream& stream, const Recomputed& net) { return stream << net.name << " " << net.percent; }

class RecomputedNetwork : public ::testing::TestWithParam<Recomputed> {};

TEST_P(RecomputedNetwork, NeedsLessThanStreaming) {
  const auto graph = published_network(GetParam().name);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const ScheduleOptions options{.core = "", .mac_budget_percent = GetParam().percent};
  const auto cost = make_oracle("streaming+recompute", options)->cost(*graph);
  EXPECT_LE(cost.activation_bytes, GetParam().activations);
  EXPECT_LT(cost.sram_bytes, make_oracle("streaming", {})->cost(*graph).sram_bytes);
  EXPECT_FALSE(make_oracle("streaming+recompute", options)->plan(*graph).has_value());
}

INSTANTIATE_TEST_SUITE_P(Table, RecomputedNetwork, ::testing::Values(Recomputed{"mcunet-320kb-1mb_imagenet", 25, 53'375}));

}  // namespace
}  // namespace tinynas::testing
