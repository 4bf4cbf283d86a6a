// The published networks: figures of TinyEngine that must agree to the byte, and what streaming makes of them.
#include "oracle/published.h"

#include <gtest/gtest.h>

#include "oracle/oracle.h"

namespace tinynas::testing {
namespace {

struct Published {
  const char* name;
  std::int64_t macs, params, act_bytes;
  std::int64_t activations, buffers;
  double latency_ms;              // STM32H743
  std::int64_t streamed, stored;  // lower bounds
};

std::ostream& operator<<(std::ostream& stream, const Published& net) { return stream << net.name; }

class PublishedNetwork : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedNetwork, TinyEngineAgreesToTheByte) {
  const auto& expected = GetParam();
  const auto graph = published_network(expected.name);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const auto cost = make_oracle("tinyengine", {})->cost(*graph);
  EXPECT_EQ(cost.macs, expected.macs);
  EXPECT_EQ(cost.params, expected.params);
  EXPECT_EQ(cost.act_bytes, expected.act_bytes);
  EXPECT_EQ(cost.activation_bytes, expected.activations);
  EXPECT_EQ(cost.scratch_bytes, expected.buffers);
  EXPECT_EQ(cost.sram_bytes, expected.activations + expected.buffers);
}

TEST_P(PublishedNetwork, LatencyIsWithinFivePercent) {
  const auto graph = published_network(GetParam().name);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const auto cost = make_oracle("tinyengine", {})->cost(*graph);
  EXPECT_NEAR(cost.latency_us / 1000, GetParam().latency_ms, 0.05 * GetParam().latency_ms);
}

TEST_P(PublishedNetwork, LowerBoundsAreTheTablesOrALittleBelow) {
  const auto graph = published_network(GetParam().name);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  for (const bool streamed : {true, false}) {
    const auto expected = streamed ? GetParam().streamed : GetParam().stored;
    const auto cost = make_oracle("streaming", {.image_streamed = streamed, .core = ""})->cost(*graph);
    EXPECT_LE(cost.lower_bound_bytes, expected);
    EXPECT_GE(cost.lower_bound_bytes, expected * 98 / 100);
    EXPECT_LE(cost.lower_bound_bytes, cost.activation_bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, PublishedNetwork,
    ::testing::Values(
        Published{"mcunet-10fps_imagenet", 6'364'224, 749'840, 46'080, 46'080, 2'688 + 1'296, 25, 7'632, 11'664},
        Published{"mcunet-5fps_imagenet", 12'790'096, 636'232, 92'160, 92'160, 5'000 + 864, 56, 12'720, 27'648},
        Published{"mcunet-256kb-1mb_imagenet", 67'287'200, 729'392, 332'800, 204'800, 14'112 + 864, 280, 48'640, 76'800},
        Published{"mcunet-320kb-1mb_imagenet", 81'785'520, 737'408, 340'736, 247'808, 17'672 + 864, 336, 52'096, 92'928}));

class LayerWiseNetwork : public ::testing::TestWithParam<std::pair<const char*, std::int64_t>> {};

TEST_P(LayerWiseNetwork, ImprovesOnTinyEngineWithoutStreaming) {
  const auto graph = published_network(GetParam().first);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const auto cost = make_oracle("layerwise", {.image_streamed = false, .core = ""})->cost(*graph);
  EXPECT_LE(cost.activation_bytes, GetParam().second);
}

// Below TinyEngine's 204,800 and 247,808 of activations.
INSTANTIATE_TEST_SUITE_P(Table, LayerWiseNetwork,
                         ::testing::Values(std::pair{"mcunet-256kb-1mb_imagenet", std::int64_t{195'200}},
                                           std::pair{"mcunet-320kb-1mb_imagenet", std::int64_t{201'344}}));

struct Streamed {
  const char* name;
  Prefer prefer;
  std::int64_t streamed, stored;  // bytes of activations at most
};

std::ostream& operator<<(std::ostream& stream, const Streamed& net) { return stream << net.name; }

class StreamedNetwork : public ::testing::TestWithParam<Streamed> {};

TEST_P(StreamedNetwork, StaysWithinItsFigure) {
  const auto graph = published_network(GetParam().name);
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  for (const bool streamed : {true, false}) {
    const ScheduleOptions options{.image_streamed = streamed, .prefer = GetParam().prefer, .core = ""};
    EXPECT_LE(make_oracle("streaming", options)->cost(*graph).activation_bytes,
              streamed ? GetParam().streamed : GetParam().stored);
  }
}

INSTANTIATE_TEST_SUITE_P(RowRings, StreamedNetwork,
                         ::testing::Values(Streamed{"mcunet-10fps_imagenet", Prefer::speed, 13'872, 16'896},
                                           Streamed{"mcunet-5fps_imagenet", Prefer::speed, 18'912, 30'720},
                                           Streamed{"mcunet-256kb-1mb_imagenet", Prefer::speed, 57'600, 81'920},
                                           Streamed{"mcunet-320kb-1mb_imagenet", Prefer::speed, 60'544, 98'560}));
INSTANTIATE_TEST_SUITE_P(FinestRings, StreamedNetwork,
                         ::testing::Values(Streamed{"mcunet-10fps_imagenet", Prefer::memory, 9'900, 14'300},
                                           Streamed{"mcunet-5fps_imagenet", Prefer::memory, 16'200, 30'200},
                                           Streamed{"mcunet-256kb-1mb_imagenet", Prefer::memory, 51'600, 82'000},
                                           Streamed{"mcunet-320kb-1mb_imagenet", Prefer::memory, 55'100, 98'900}));

class StreamingNetwork : public ::testing::TestWithParam<const char*> {};

TEST_P(StreamingNetwork, NeedsAtMostTwoFifthsOfTinyEngine) {
  const auto graph = published_network(GetParam());
  if (!graph) GTEST_SKIP() << "no reference data beside the checkout";
  const auto layer_wise = make_oracle("tinyengine", {})->cost(*graph);
  const auto streaming = make_oracle("streaming", {})->cost(*graph);
  EXPECT_EQ(streaming.macs, layer_wise.macs);
  EXPECT_LE(streaming.sram_bytes * 10, layer_wise.sram_bytes * 4);
  EXPECT_EQ(streaming.sram_bytes, streaming.activation_bytes + streaming.scratch_bytes);
}

INSTANTIATE_TEST_SUITE_P(Table, StreamingNetwork,
                         ::testing::Values("mcunet-256kb-1mb_imagenet", "mcunet-320kb-1mb_imagenet"));

}  // namespace
}  // namespace tinynas::testing
