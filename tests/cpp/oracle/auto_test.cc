// What `auto` picks, and that more memory never gives a worse answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/error.h"
#include "graph/operators.h"
#include "oracle/checker.h"
#include "oracle/kernels/latency.h"
#include "oracle/packing/planner.h"
#include "oracle/random_graphs.h"
#include "oracle/streaming/auto_schedule.h"

namespace tinynas::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// 0: the fastest.
int rank(const Cost& cost) {
  if (cost.chosen.find("recomputed") != std::string::npos) return 3;
  if (cost.chosen.find("memory") != std::string::npos) return 2;
  return cost.chosen == "layerwise" ? 1 : 0;
}

TEST(Auto, MoreMemoryIsNeverWorse) {
  bool seen[4] = {};
  for (std::uint64_t seed = 0; seed < 60 * random_cases(); ++seed) {
    const auto graph = seed % 3 == 0 ? random_graph(seed) : random_bottlenecks(seed);
    const auto most = make_oracle("layerwise", {})->cost(graph).sram_bytes + 8;
    Cost less;
    bool fitted = false;
    for (std::int64_t sram = most / 16; sram <= 2 * most; sram += most / 16 + 1) {
      const ScheduleOptions options{.core = "cortex-m7", .sram_bytes = sram, .mac_budget_percent = 100};
      const auto schedule = auto_schedule(graph, options);
      const bool fits = schedule.cost.sram_bytes <= sram;
      ASSERT_TRUE(fits || !fitted) << "seed " << seed << ", " << sram << " bytes";
      if (fits && fitted) {
        ASSERT_LE(rank(schedule.cost), rank(less)) << "seed " << seed << ", " << sram << " bytes";
        ASSERT_LE(schedule.cost.macs, less.macs) << "seed " << seed << ", " << sram << " bytes";
      }
      if (schedule.plan) {
        ASSERT_THAT(check_plan(graph, *schedule.plan, "cortex-m7"), IsEmpty()) << "seed " << seed;
        ASSERT_EQ(schedule.plan->arena_bytes, schedule.cost.sram_bytes);
      }
      ASSERT_EQ(schedule.plan.has_value(), rank(schedule.cost) < 3);
      seen[rank(schedule.cost)] = true;
      fitted |= fits;
      less = schedule.cost;
    }
  }
  EXPECT_TRUE(seen[0] && seen[2] && seen[3]);
}

/// Of what fits, nothing has fewer predicted instructions.
TEST(Auto, TakesTheFewestInstructions) {
  LatencyModel model;
  model.core = "cortex-m7";
  model.kernels["other"] = {};
  model.kernels["driver"] = {};
  bool layerwise = false, pixels = false;
  for (const double call : {1.0, -1.0}) {  // of the driver: more or fewer steps are cheaper
    model.kernels["driver"][static_cast<std::size_t>(Term::call)] = call;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto graph = random_bottlenecks(seed);
      ScheduleOptions options;
      options.core = "cortex-m7";
      options.prefer = Prefer::speed;
      options.latency = std::make_shared<const LatencyModel>(model);
      const auto chosen = make_oracle("auto", options)->cost(graph);
      for (const auto* schedule : {"streaming", "layerwise"}) {
        EXPECT_LE(chosen.instructions, make_oracle(schedule, options)->cost(graph).instructions) << "seed " << seed;
      }
      layerwise |= chosen.chosen == "layerwise";
      auto small = options;  // what fits when streaming by rows does not
      small.prefer = Prefer::memory;
      const auto by_pixels = make_oracle("streaming", small)->cost(graph);
      const auto by_layers = make_oracle("layerwise", options)->cost(graph);
      options.sram_bytes = std::max(by_pixels.sram_bytes, by_layers.sram_bytes);
      if (make_oracle("streaming", options)->cost(graph).sram_bytes <= options.sram_bytes) continue;
      const auto squeezed = make_oracle("auto", options)->cost(graph);
      EXPECT_LE(squeezed.instructions, std::min(by_pixels.instructions, by_layers.instructions)) << "seed " << seed;
      pixels |= squeezed.chosen == "streaming, memory preferred";
    }
  }
  EXPECT_TRUE(layerwise && pixels);
}

TEST(Auto, RecomputesOnlyWithABudget) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto graph = random_bottlenecks(seed);
    const auto cost = make_oracle("auto", {.core = "", .sram_bytes = 1})->cost(graph);
    ASSERT_EQ(cost.chosen, "streaming, memory preferred");
    ASSERT_EQ(cost.sram_bytes, make_oracle("streaming", {})->cost(graph).sram_bytes);
  }
}

TEST(Auto, RefusesBudgetsThatAreNone) {
  for (const double percent : {-1.0, 1001.0}) {
    try {
      (void)make_oracle("auto", {.core = "", .mac_budget_percent = percent});
      FAIL() << "accepted " << percent;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("expected 0 to 1000 percent"));
    }
  }
}

TEST(Packing, MoreCapacityIsNeverHarder) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<PackItem> items(2 + random() % 12);
    for (auto& item : items) {
      item.lower = static_cast<std::int32_t>(random() % 8);
      item.upper = item.lower + 1 + static_cast<std::int32_t>(random() % 5);
      item.size = static_cast<std::int64_t>(1 + random() % 40);
    }
    bool fitted = false;
    const auto least = max_live(items);
    for (auto capacity = least - 4; capacity < least + 40; capacity += 4) {
      const bool fits = pack(items, {.capacity = capacity}).bytes <= capacity;
      ASSERT_TRUE(fits || !fitted) << "instance " << i << ", capacity " << capacity;
      fitted |= fits;
    }
    ASSERT_TRUE(fitted);
  }
}

}  // namespace
}  // namespace tinynas::testing
