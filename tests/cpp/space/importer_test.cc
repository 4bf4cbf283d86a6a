#include "space/importer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/operators.h"
#include "graph/statistics.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "space/spaces.h"

namespace tinynas {
namespace {

struct Published {
  const char* file;
  std::int64_t macs, params, act_bytes;
};

class PublishedTest : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedTest, StatisticsEqualThePublishedOnes) {
  const auto path = testing::shared_data() / "mcunet" / (std::string(GetParam().file) + ".json");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const Graph graph = import_architecture(testing::read_text(path));
  EXPECT_EQ(graph_macs(graph), GetParam().macs);
  EXPECT_EQ(params(graph), GetParam().params);
  EXPECT_EQ(act_bytes(graph), GetParam().act_bytes);
}

INSTANTIATE_TEST_SUITE_P(Mcunet, PublishedTest,
                         ::testing::Values(Published{"mcunet-10fps_imagenet", 6364224, 749840, 46080},
                                           Published{"mcunet-5fps_imagenet", 12790096, 636232, 92160},
                                           Published{"mcunet-256kb-1mb_imagenet", 67287200, 729392, 332800},
                                           Published{"mcunet-320kb-1mb_imagenet", 81785520, 737408, 340736},
                                           Published{"proxyless-w0.25-r112_imagenet", 10691008, 569600, 100352}));

nlohmann::json small_network() {
  return nlohmann::json::parse(R"({"name": "n", "resolution": 8,
    "first_conv": {"name": "ConvLayer", "kernel_size": 3, "stride": 2, "in_channels": 3, "out_channels": 4, "act_func": "relu6"},
    "blocks": [{"mobile_inverted_conv": {"name": "MBInvertedConvLayer", "in_channels": 4, "out_channels": 4, "kernel_size": 5,
                "stride": 1, "expand_ratio": 2, "mid_channels": null}, "shortcut": {"name": "IdentityLayer"}},
               {"mobile_inverted_conv": {"name": "ZeroLayer"}, "shortcut": {"name": "IdentityLayer"}}],
    "feature_mix_layer": null, "classifier": {"name": "LinearLayer", "in_features": 4, "out_features": 3}})");
}

TEST(Importer, CountsASmallNetworkByHand) {
  const Graph graph = import_architecture(small_network().dump());
  // stem 4x4x4x27, expand 16x4x8, depthwise 16x8x25, project 16x8x4, classifier 12
  EXPECT_EQ(graph_macs(graph), 1728 + 512 + 3200 + 512 + 12);
  EXPECT_EQ(params(graph), (108 + 8) + (32 + 16) + (200 + 16) + (32 + 8) + (12 + 3));
  // expand and depthwise hold the residual: 64 + 128 + 128
  EXPECT_EQ(act_bytes(graph), 64 + 128 + 128);
  ASSERT_EQ(graph.operators.size(), 7U);  // the skipped block leaves nothing
  EXPECT_EQ(graph.operators[1].name, "blocks.0.expand");
  EXPECT_EQ(graph.operators[4].name, "blocks.0.add");
}

TEST(Importer, TakesAnotherResolution) {
  const Graph graph = import_architecture(small_network().dump(), 16);
  EXPECT_EQ(graph.tensors[graph.inputs[0]].shape, (Shape{1, 16, 16, 3}));
}

TEST(Importer, ReadsOurOwnFile) {
  Rng rng(3);
  const SearchSpace space = testing::tiny_space();
  const SpacePoint point{space, sample(space, 9, 0.5, rng)};
  const std::string text = to_json_text(point);
  EXPECT_EQ(parse_space_point(text).arch, point.arch);
  EXPECT_EQ(graph_macs(import_architecture(text)), graph_macs(build_graph(space, point.arch)));
  EXPECT_EQ(import_architecture(text, 8).tensors[0].shape, (Shape{1, 8, 8, 3}));
}

TEST(Importer, RefusesHostileFiles) {
  const auto refuse = [](const nlohmann::json& json) {
    EXPECT_THROW((void)import_architecture(json.dump()), InputError) << json;
  };
  for (const char* text : {"", "[", "null", "[]", "3", "{}", R"({"arch": 3})", R"({"first_conv": null})"}) {
    EXPECT_THROW((void)import_architecture(text), InputError) << text;
  }
  const nlohmann::json good = small_network();
  // Every value of the file replaced by every kind of nonsense: refused, or still a network, but never a crash.
  const nlohmann::json nonsense[] = {
      nullptr, -1, 0, 1e30, 4294967297LL, "x", nlohmann::json::array(), nlohmann::json::object(), true};
  const nlohmann::json flat = good.flatten();
  for (const auto& [path, unused] : flat.items()) {
    for (const auto& value : nonsense) {
      nlohmann::json bad = good;
      bad[nlohmann::json::json_pointer(path)] = value;
      try {
        EXPECT_GE(graph_macs(import_architecture(bad.dump())), 0);
      } catch (const InputError&) {
      }
    }
  }
  nlohmann::json bad = good;
  bad["first_conv"]["out_channels"] = 5;  // the block expects 4
  refuse(bad);
  bad = good;
  bad["blocks"][0]["mobile_inverted_conv"]["use_se"] = true;
  refuse(bad);
  bad = good;
  bad["blocks"][0]["mobile_inverted_conv"]["stride"] = 2;  // with a shortcut
  refuse(bad);
  bad = good;
  bad["blocks"][0]["mobile_inverted_conv"]["kernel_size"] = 4;
  refuse(bad);
  bad = good;
  bad["resolution"] = 1000000000;
  refuse(bad);
}

TEST(Importer, NamesThePlace) {
  nlohmann::json bad = small_network();
  bad["blocks"][0]["mobile_inverted_conv"]["kernel_size"] = "big";
  try {
    (void)import_architecture(bad.dump());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "architecture.blocks.0.mobile_inverted_conv.kernel_size: expected a whole number from 1 to 31, got \"big\"");
  }
}

}  // namespace
}  // namespace tinynas
