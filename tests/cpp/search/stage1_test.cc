#include "search/stage1.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "graph/error.h"
#include "search/fake_oracle.h"
#include "space/build_graph.h"

namespace tinynas {
namespace {

using testing::FakeOracle;
using testing::small_space;

Stage1Options quick(std::int32_t samples = 60) {
  Stage1Options options;
  options.samples = samples;
  options.threads = 2;
  return options;
}

TEST(Limits, CountTheOverheadAndTheBoundItself) {
  Limits limits;
  EXPECT_TRUE(fits({1 << 30, 1 << 30, 1 << 30, 1e9}, limits));
  limits.sram_bytes = 100;
  limits.overhead = {30, 0};
  EXPECT_TRUE(fits({70, 0, 0, 0}, limits));
  EXPECT_FALSE(fits({71, 0, 0, 0}, limits));
  EXPECT_DOUBLE_EQ(excess({170, 0, 0, 0}, limits), 2.0);
  limits.latency_us = 5.0;
  EXPECT_FALSE(fits({1, 1, 1, 5.1}, limits));
  limits.macs = 0;
  EXPECT_THROW(validate(limits), InputError);
}

TEST(Stage1, StatisticsAreThoseOfTheSamplesThatFit) {
  const SearchSpace space = small_space();
  const FakeOracle oracle;
  Limits limits;
  limits.sram_bytes = 14000;
  limits.flash_bytes = 9000;
  const Stage1Result result = stage1(space, oracle, limits, quick());
  ASSERT_EQ(result.subspaces.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const Subspace& part = result.subspaces[i];
    EXPECT_EQ(part.resolution, space.resolutions[i / 2]);
    EXPECT_EQ(part.width, space.widths[i % 2]);
    Rng rng(0, i);
    std::vector<std::int64_t> flops;
    for (int k = 0; k < 60; ++k) {
      const Score score = score_of(space, oracle, sample(space, part.resolution, part.width, rng));
      if (score.sram_bytes <= 14000 && score.flash_bytes <= 9000) flops.push_back(score.macs);
    }
    std::sort(flops.begin(), flops.end());
    EXPECT_EQ(part.flops, flops);
    EXPECT_EQ(part.satisfying, static_cast<std::int32_t>(flops.size()));
    if (flops.empty()) continue;
    EXPECT_DOUBLE_EQ(part.mean_flops, std::accumulate(flops.begin(), flops.end(), 0.0) / static_cast<double>(flops.size()));
    const auto below = std::count_if(flops.begin(), flops.end(), [&](auto f) { return f <= part.p80_flops; });
    const auto strictly = std::count_if(flops.begin(), flops.end(), [&](auto f) { return f < part.p80_flops; });
    EXPECT_GE(static_cast<double>(below), 0.8 * static_cast<double>(flops.size()));
    EXPECT_LT(static_cast<double>(strictly), 0.8 * static_cast<double>(flops.size()));
  }
  ASSERT_TRUE(result.winner);
  for (const Subspace& part : result.subspaces) {
    if (part.satisfying < 10) continue;
    EXPECT_LE(part.mean_flops, result.subspaces[*result.winner].mean_flops);
  }
}

TEST(Stage1, DoesNotDependOnTheNumberOfThreads) {
  const FakeOracle oracle;
  Limits limits;
  limits.sram_bytes = 20000;
  Stage1Options one = quick(), four = quick();
  one.threads = 1;
  four.threads = 4;
  const Stage1Result a = stage1(small_space(), oracle, limits, one), b = stage1(small_space(), oracle, limits, four);
  for (std::size_t i = 0; i < a.subspaces.size(); ++i) EXPECT_EQ(a.subspaces[i].flops, b.subspaces[i].flops);
  EXPECT_EQ(a.winner, b.winner);
  one.seed = 1;
  EXPECT_NE(stage1(small_space(), oracle, limits, one).subspaces[0].flops, a.subspaces[0].flops);
}

TEST(Stage1, FewFittingSamplesDoNotCount) {
  const FakeOracle oracle;
  Limits limits;
  limits.sram_bytes = 14000;
  const Stage1Result some = stage1(small_space(), oracle, limits, quick(9));
  EXPECT_FALSE(some.winner);  // nine samples can never be ten that fit
  Stage1Options lenient = quick(9);
  lenient.min_count = 1;
  EXPECT_TRUE(stage1(small_space(), oracle, limits, lenient).winner);
}

TEST(Stage1, AnInfeasibleBudgetHasNoWinnerAndASmallestFootprint) {
  const SearchSpace space = small_space();
  const FakeOracle oracle;
  Limits limits;
  limits.sram_bytes = 1000;
  EXPECT_FALSE(stage1(space, oracle, limits, quick()).winner);
  const SmallestFootprint least = smallest_footprint(space, oracle, limits);
  EXPECT_GT(least.least_sram.score.sram_bytes, 1000);
  Rng rng(3);
  for (int i = 0; i < 300; ++i) {
    const Score score =
        score_of(space, oracle, sample(space, 16 + 8 * static_cast<int>(rng.below(3)), rng.below(2) ? 1.0 : 0.5, rng));
    EXPECT_GE(score.sram_bytes, least.least_sram.score.sram_bytes);
    EXPECT_GE(score.flash_bytes, least.least_flash.score.flash_bytes);
    EXPECT_GE(score.macs, least.least_macs.score.macs);
    EXPECT_GE(excess(score, limits), excess(least.closest.score, limits));
  }
}

TEST(Stage1, ErrorsAndStopsReachTheCaller) {
  class Failing final : public Oracle {
    [[nodiscard]] std::string name() const override { return "failing"; }
    [[nodiscard]] Cost cost(const Graph&) const override { throw InputError("[oracle] no"); }
    [[nodiscard]] std::optional<Plan> plan(const Graph&) const override { return std::nullopt; }
  };
  EXPECT_THROW((void)stage1(small_space(), Failing(), {}, quick()), InputError);
  const FakeOracle oracle;
  Stage1Options options = quick();
  std::size_t calls = 0;
  options.progress = [&calls](std::size_t done, std::size_t total) {
    EXPECT_EQ(done, ++calls);
    EXPECT_EQ(total, 6U);
    return done < 3;
  };
  EXPECT_THROW((void)stage1(small_space(), oracle, {}, options), InputError);
  EXPECT_LE(calls, 4U);
  options.samples = 0;
  EXPECT_THROW((void)stage1(small_space(), oracle, {}, options), InputError);
}

TEST(Stage1, ThePublishedSubspaceWinsAmongItsNeighbours) {
  // 320 kB / 1 MB on an F746 under TinyEngine's schedule: w0.5-r176. The whole 108 subspaces are the benchmark's; here those
  // around the winner.
  SearchSpace space = testing::mcunet_space();
  space.resolutions = {144, 160, 176, 192};
  space.widths = {0.4, 0.5, 0.6};
  Limits limits;
  limits.sram_bytes = 320 * 1024;
  limits.flash_bytes = 1024 * 1024;
  limits.overhead = {30 * 1024, 100 * 1024};
  const Stage1Result result = stage1(space, *make_oracle("tinyengine", {}), limits, quick(300));
  ASSERT_TRUE(result.winner);
  const Subspace& winner = result.subspaces[*result.winner];
  EXPECT_EQ(winner.resolution, 176);
  EXPECT_EQ(winner.width, 0.5);
  EXPECT_NEAR(winner.mean_flops / 1e6, 64.6, 2.5);
  EXPECT_NEAR(static_cast<double>(winner.p80_flops) / 1e6, 72.0, 3.5);
}

}  // namespace
}  // namespace tinynas
