// Scores from tables are those of the oracle, network by network.
#include "search/score_table.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "oracle/streaming/growing_segment.h"
#include "oracle/streaming/ring_table.h"
#include "oracle/streaming/streaming.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "space/spaces.h"

namespace tinynas::testing {
namespace {

/// A space with residuals, feature mix, expansion 1, odd maps and a stride after the first stage.
SearchSpace odd_space() {
  auto space = tiny_space();
  space.resolutions = {15, 33, 48};
  space.feature_mix = 40;
  space.stages.push_back({24, 2, {1, 2, 3}, {3, 5, 7}, {1, 3, 6}});
  return space;
}

/// The same with formats as genes, or with maps of 4 bits everywhere.
SearchSpace odd_space_in(std::vector<Format> formats) {
  auto space = odd_space();
  space.formats = std::move(formats);
  return space;
}

Arch any_arch(const SearchSpace& space, Rng& rng) {
  const auto resolution = space.resolutions[rng.below(static_cast<std::uint32_t>(space.resolutions.size()))];
  return sample(space, resolution, space.widths[rng.below(static_cast<std::uint32_t>(space.widths.size()))], rng);
}

/// The peak of the partition that the schedule itself chooses.
std::int64_t partition_peak(const Graph& graph, const ScheduleOptions& options) {
  const auto rows = make_row_graph(graph);
  const ScheduleInput input{graph, rows, options};
  const auto grains = std::span(kBothGrains).first(options.prefer == Prefer::memory ? 2 : 1);
  std::int64_t peak = 0;
  for (const auto& segment : cut_into_segments(input, grains)) {
    const auto table = make_ring_table(input, segment.grain);
    GrowingSegment growing(input, table, streamed_image(input));
    growing.start(segment.operators.front());
    for (const auto op : segment.operators) EXPECT_TRUE(growing.add(op));
    peak = std::max(peak, growing.bytes());
  }
  return peak;
}

/// Networks whose score from the table is that of their own best partition; how many the packer places at that figure.
int expect_partitions(const SearchSpace& space, const ScheduleOptions& options, int networks) {
  const auto oracle = make_oracle("streaming", options);
  const auto table = ScoreTable::make(space, *oracle);
  EXPECT_NE(table, nullptr);
  Rng rng(2);
  int packed = 0;
  for (int i = 0; table && i < networks; ++i) {
    const auto arch = any_arch(space, rng);
    const auto graph = build_graph(space, arch);
    const auto fast = table->score(arch);
    EXPECT_EQ(fast.sram_bytes, partition_peak(graph, options)) << "network " << i << ", " << options.core;
    const auto cost = oracle->cost(graph);
    EXPECT_LE(fast.flash_bytes, cost.flash_bytes);
    EXPECT_GE(fast.flash_bytes, options.prefer == Prefer::speed ? cost.flash_bytes : cost.flash_bytes / 3);
    EXPECT_EQ(fast.macs, cost.macs);
    // The rings of pixels of small maps may take a little less than their formulas say.
    EXPECT_LE(options.prefer == Prefer::memory ? fast.sram_bytes * 98 / 100 : fast.sram_bytes, cost.sram_bytes);
    packed += fast.sram_bytes == cost.sram_bytes ? 1 : 0;
  }
  return packed;
}

class ScoreTables : public ::testing::TestWithParam<SearchSpace> {};

TEST_P(ScoreTables, TinyEngineEqualsTheOracle) {
  const auto& space = GetParam();
  const auto oracle = make_oracle("tinyengine", {});
  const auto table = ScoreTable::make(space, *oracle);
  ASSERT_NE(table, nullptr);
  EXPECT_TRUE(table->exact());
  Rng rng(1);
  for (int i = 0; i < 500; ++i) {
    const auto arch = any_arch(space, rng);
    const auto score = score_of(space, *oracle, arch);
    const auto fast = table->score(arch);
    ASSERT_EQ(fast.sram_bytes, score.sram_bytes) << "network " << i;
    ASSERT_EQ(fast.flash_bytes, score.flash_bytes);
    ASSERT_EQ(fast.macs, score.macs);
    ASSERT_NEAR(fast.latency_us, score.latency_us, 1e-6 * score.latency_us);
  }
}

TEST_P(ScoreTables, StreamingEqualsThePartition) {
  constexpr int kNetworks = 60;
  for (const bool streamed : {true, false}) {
    for (const char* core : {"", "cortex-m0"}) {
      const ScheduleOptions options{.image_streamed = streamed, .prefer = Prefer::speed, .core = core};
      EXPECT_GE(expect_partitions(GetParam(), options, kNetworks), kNetworks / 2);  // the packer reaches the peak
    }
  }
}

TEST_P(ScoreTables, PreferringMemoryEqualsThePartitionOfRowsAndPixels) {
  auto space = GetParam();
  for (auto& stage : space.stages) {
    if (stage.stride > 1 && stage.expansions.front() == 1) stage.expansions.front() = 2;
  }
  for (const bool streamed : {true, false}) {
    for (const char* core : {"", "cortex-m7"}) {
      (void)expect_partitions(space, {.image_streamed = streamed, .prefer = Prefer::memory, .core = core}, 20);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Spaces, ScoreTables,
                         ::testing::Values(mcunet_space(), odd_space(),
                                           odd_space_in({Format::w8a8, Format::w4a8, Format::w4a4}),
                                           odd_space_in({Format::w4a4})));

TEST(ScoreTable, OtherOraclesHaveNone) {
  EXPECT_EQ(ScoreTable::make(tiny_space(), *make_oracle("layerwise", {})), nullptr);
  EXPECT_EQ(ScoreTable::make(odd_space(), *make_oracle("streaming", {.prefer = Prefer::memory, .core = ""})), nullptr);
}

TEST(ScoreTable, PreferringSpeedSaysWhatTheLeastPlanTakes) {
  const auto space = mcunet_space();
  for (const char* core : {"cortex-m7", "cortex-m55"}) {
    ScheduleOptions options;
    options.prefer = Prefer::speed;
    options.core = core;
    const auto oracle = make_oracle("streaming", options);
    const auto table = ScoreTable::make(space, *oracle);
    EXPECT_TRUE(table->least());
    auto slim = options;
    slim.prefer = Prefer::memory;
    Rng rng(3);
    for (int i = 0; i < 20; ++i) {
      const auto arch = any_arch(space, rng);
      const auto graph = build_graph(space, arch);
      const auto fast = table->score(arch);
      const auto cost = oracle->cost(graph);
      EXPECT_LE(fast.sram_bytes, cost.sram_bytes);
      EXPECT_EQ(fast.sram_bytes, least_cut_peak({graph, make_row_graph(graph), slim}, std::array{Grain::rows}));
      EXPECT_LE(fast.flash_bytes, cost.flash_bytes);
      // Planar rows, whose 16-bit weights (M7) and Helium's forms (M55) cost more, are not in every plan.
      EXPECT_GE(fast.flash_bytes, std::string(core) == "cortex-m7" ? cost.flash_bytes * 9 / 10 : cost.flash_bytes * 2 / 3);
    }
  }
}

}  // namespace
}  // namespace tinynas::testing
