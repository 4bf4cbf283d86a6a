#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include "graph/error.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "graph/statistics.h"
#include "space/build_graph.h"
#include "space/json.h"
#include "space/sample.h"
#include "space/spaces.h"
#include "space/validate.h"

namespace tinynas {
namespace {

using testing::mcunet_space;
using testing::tiny_space;

TEST(MakeDivisible, FollowsTheNinetyPercentRule) {
  EXPECT_EQ(make_divisible(12, 8), 16);    // ties round up
  EXPECT_EQ(make_divisible(11.9, 8), 16);  // 8 would be below 90 %
  EXPECT_EQ(make_divisible(8.5, 8), 8);
  EXPECT_EQ(make_divisible(1, 8), 8);
  EXPECT_EQ(make_divisible(19.2, 8), 24);  // 16 is 83 %
  EXPECT_EQ(make_divisible(17, 8), 16);    // 94 %
  EXPECT_EQ(make_divisible(7, 1), 7);
  for (int v = 1; v < 500; ++v) EXPECT_GE(make_divisible(v, 8), 0.9 * v);
}

TEST(BuildGraph, NamesAndShapes) {
  const SearchSpace space = tiny_space();
  Arch arch = smallest(space, 9, 1.0);
  arch.depths[0] = 2;
  arch.blocks[1] = {5, 3};
  const Graph graph = build_graph(space, arch);
  std::map<std::string, Shape> shapes;
  for (const Tensor& tensor : graph.tensors) EXPECT_TRUE(shapes.emplace(tensor.name, tensor.shape).second) << tensor.name;
  EXPECT_EQ(shapes.at("image"), (Shape{1, 9, 9, 3}));
  EXPECT_EQ(shapes.at("stem.weight"), (Shape{16, 3, 3, 3}));
  EXPECT_EQ(shapes.at("stem.output"), (Shape{1, 5, 5, 16}));  // 9 / 2 rounded up
  EXPECT_EQ(shapes.at("first.depthwise.weight"), (Shape{1, 3, 3, 16}));
  EXPECT_EQ(shapes.at("first.project.weight"), (Shape{8, 1, 1, 16}));
  EXPECT_EQ(shapes.count("first.expand.weight"), 0U);
  EXPECT_EQ(shapes.at("stages.0.blocks.0.expand.weight"), (Shape{16, 1, 1, 8}));
  EXPECT_EQ(shapes.at("stages.0.blocks.0.depthwise.output"), (Shape{1, 3, 3, 16}));
  EXPECT_EQ(shapes.at("stages.0.blocks.1.expand.weight"), (Shape{48, 1, 1, 16}));
  EXPECT_EQ(shapes.at("stages.0.blocks.1.depthwise.weight"), (Shape{1, 5, 5, 48}));
  EXPECT_EQ(shapes.at("stages.0.blocks.1.add.output"), (Shape{1, 3, 3, 16}));
  EXPECT_EQ(shapes.count("stages.0.blocks.0.add.output"), 0U);     // stride 2
  EXPECT_EQ(shapes.count("stages.1.blocks.0.expand.weight"), 0U);  // expansion 1
  EXPECT_EQ(shapes.at("pool.output"), (Shape{1, 1, 1, 24}));
  EXPECT_EQ(shapes.at("classifier.bias"), (Shape{2}));
  EXPECT_EQ(shapes.at("classifier.output"), (Shape{1, 2}));
}

TEST(BuildGraph, OnlyUsedBlocksCount) {
  const SearchSpace space = tiny_space();
  Arch arch = smallest(space, 8, 0.5), other = arch;
  other.blocks[1] = {5, 3};  // past depths[0] = 1
  EXPECT_EQ(graph_macs(build_graph(space, arch)), graph_macs(build_graph(space, other)));
}

TEST(BuildGraph, ThePublishedNetworkLiesInTheSpaceAtExpansionFive) {
  // mcunet-320kb-1mb: w0.5, R 176; the released networks use e = 5, which validate() admits.
  const SearchSpace space = mcunet_space();
  Arch arch = smallest(space, 176, 0.5);
  arch.depths = {4, 3, 3, 3, 3, 1};
  arch.blocks = {{7, 3}, {3, 5}, {7, 5}, {5, 4}, {5, 5}, {5, 5}, {5, 5}, {3, 3}, {3, 5}, {7, 6}, {5, 4},
                 {3, 3}, {5, 5}, {7, 5}, {3, 5}, {3, 3}, {3, 6}, {7, 5}, {3, 4}, {3, 3}, {7, 5}};
  validate(space, arch);
  EXPECT_FALSE(contains(space, arch));
  const Graph graph = build_graph(space, arch);
  EXPECT_EQ(graph_macs(graph), 81785520);
  EXPECT_EQ(params(graph), 737408);
  EXPECT_EQ(act_bytes(graph), 340736);
}

TEST(BuildGraph, OperatorsStandInOrderAndLinkUp) {
  const SearchSpace space = mcunet_space();
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    const Graph graph = build_graph(space, sample(space, 48 + 16 * static_cast<int>(rng.below(12)), 0.4, rng));
    std::set<std::int32_t> ready(graph.inputs.begin(), graph.inputs.end());
    for (const Operator& op : graph.operators) {
      for (const auto t : op.inputs) EXPECT_TRUE(graph.tensors[t].constant || ready.count(t)) << op.name;
      ready.insert(op.outputs.begin(), op.outputs.end());
    }
    EXPECT_TRUE(ready.count(graph.outputs[0]));
  }
}

TEST(BuildGraph, ShapesAreThoseThatTheGraphInfers) {
  const SearchSpace space = mcunet_space();
  Rng rng(2);
  for (const std::int32_t resolution : {48, 57, 176, 223}) {
    const Graph graph = build_graph(space, sample(space, resolution, 0.6, rng));
    Graph inferred = graph;
    infer_shapes(inferred);
    for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
      EXPECT_EQ(inferred.tensors[t].shape, graph.tensors[t].shape) << graph.tensors[t].name;
    }
  }
}

TEST(BuildGraph, IsFast) {
  const SearchSpace space = mcunet_space();
  Rng rng(1);
  std::vector<Arch> archs;
  for (int i = 0; i < 500; ++i) archs.push_back(sample(space, 176, 0.5, rng));
  const std::clock_t start = std::clock();  // processor time: a busy machine does not count
  std::size_t operators = 0;
  for (const Arch& arch : archs) operators += build_graph(space, arch).operators.size();
  const double spent = 1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  RecordProperty("microseconds", static_cast<int>(spent / 500));
  EXPECT_GT(operators, 500U * 30);
  EXPECT_LT(spent / 500, 500);  // 20 expected; generous for sanitizers and busy machines
}

TEST(Sample, CoversEveryChoiceAndStaysInside) {
  const SearchSpace space = mcunet_space();
  Rng rng(7);
  std::set<std::int32_t> depths, kernels, expansions;
  for (int i = 0; i < 300; ++i) {
    const Arch arch = sample(space, 96, 0.3, rng);
    ASSERT_TRUE(contains(space, arch));
    validate(space, arch);
    depths.insert(arch.depths[0]);
    kernels.insert(arch.blocks[2].kernel);
    expansions.insert(arch.blocks[2].expansion);
  }
  EXPECT_EQ(depths.size(), 3U);
  EXPECT_EQ(kernels.size(), 3U);
  EXPECT_EQ(expansions.size(), 3U);
}

TEST(Sample, IsDeterministicBySeed) {
  const SearchSpace space = mcunet_space();
  Rng a(5, 2), b(5, 2), c(5, 3);
  const Arch first = sample(space, 96, 0.3, a);
  EXPECT_EQ(first, sample(space, 96, 0.3, b));
  EXPECT_NE(first, sample(space, 96, 0.3, c));
}

TEST(Mutate, ChangesAboutTheAskedShare) {
  const SearchSpace space = mcunet_space();
  Rng rng(11);
  const Arch arch = sample(space, 96, 0.3, rng);
  EXPECT_EQ(mutate(space, arch, 0.0, rng), arch);
  int changed = 0, genes = 0;
  for (int i = 0; i < 400; ++i) {
    const Arch child = mutate(space, arch, 0.1, rng);
    ASSERT_TRUE(contains(space, child));
    EXPECT_EQ(child.resolution, arch.resolution);
    for (std::size_t b = 0; b < arch.blocks.size(); ++b, ++genes) changed += child.blocks[b] != arch.blocks[b];
  }
  EXPECT_NEAR(static_cast<double>(changed) / genes, 0.1 * 8 / 9, 0.01);  // one draw in nine repeats the old pair
}

TEST(Mutate, ElasticVariesResolutionAndWidth) {
  const SearchSpace space = mcunet_space();
  Rng rng(12);
  const Arch arch = sample(space, 96, 0.3, rng);
  std::set<std::int32_t> resolutions;
  std::set<double> widths;
  for (int i = 0; i < 300; ++i) {
    const Arch child = mutate(space, arch, 0.5, rng, true);
    resolutions.insert(child.resolution);
    widths.insert(child.width);
  }
  EXPECT_EQ(resolutions.size(), space.resolutions.size());
  EXPECT_EQ(widths.size(), space.widths.size());
}

TEST(Crossover, TakesEveryGeneFromAParent) {
  const SearchSpace space = mcunet_space();
  Rng rng(13);
  const Arch a = largest(space, 96, 0.3), b = smallest(space, 128, 0.5);
  int from_a = 0;
  for (int i = 0; i < 200; ++i) {
    const Arch child = crossover(space, a, b, rng);
    EXPECT_EQ(child.resolution, 96);
    for (std::size_t k = 0; k < a.blocks.size(); ++k) {
      ASSERT_TRUE(child.blocks[k] == a.blocks[k] || child.blocks[k] == b.blocks[k]);
      from_a += child.blocks[k] == a.blocks[k];
    }
  }
  EXPECT_NEAR(from_a / 200.0 / static_cast<double>(a.blocks.size()), 0.5, 0.05);
}

TEST(Extremes, BoundEverySample) {
  const SearchSpace space = mcunet_space();
  Rng rng(17);
  const auto low = graph_macs(build_graph(space, smallest(space, 96, 0.3))),
             high = graph_macs(build_graph(space, largest(space, 96, 0.3)));
  for (int i = 0; i < 100; ++i) {
    const auto work = graph_macs(build_graph(space, sample(space, 96, 0.3, rng)));
    EXPECT_GE(work, low);
    EXPECT_LE(work, high);
  }
}

TEST(Json, RoundTrips) {
  const SearchSpace space = mcunet_space();
  EXPECT_EQ(to_json(parse_space(to_json(space).dump())), to_json(space));
  Rng rng(19);
  const Arch arch = sample(space, 160, 0.7, rng);
  EXPECT_EQ(parse_arch(to_json(arch).dump()), arch);
}

void refuse_space(const nlohmann::json& json, const std::string& part) {
  try {
    (void)parse_space(json.dump());
    FAIL() << json;
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Json, RefusesBadSpaces) {
  const nlohmann::json good = to_json(tiny_space());
  const auto with = [&good](const char* path, const nlohmann::json& value) {
    nlohmann::json changed = good;
    changed[nlohmann::json::json_pointer(path)] = value;
    return changed;
  };
  refuse_space(with("/colour", 1), "colour");
  refuse_space(with("/stages", nlohmann::json::array()), "stages");
  refuse_space(with("/stages/0/kernels", {3, 4}), "odd");
  refuse_space(with("/stages/0/kernels", {5, 3}), "ascending");
  refuse_space(with("/stages/0/depths", {0, 1}), "depths");
  refuse_space(with("/stages/1/expansions", nlohmann::json::array()), "at least one");
  refuse_space(with("/widths", {0.0}), "widths");
  refuse_space(with("/widths", {1.0, 1.0}), "ascending");
  refuse_space(with("/resolutions", {100000}), "resolutions");
  refuse_space(with("/classes", -3), "classes");
  refuse_space(with("/stem/channels", 1e9), "stem.channels");
  refuse_space(with("/divisor", "eight"), "divisor");
}

TEST(Validate, RefusesPointsOfAnotherShape) {
  const SearchSpace space = tiny_space();
  Arch arch = smallest(space, 8, 1.0);
  validate(space, arch);
  Arch bad = arch;
  bad.depths.pop_back();
  EXPECT_THROW(validate(space, bad), InputError);
  bad = arch;
  bad.depths[0] = 3;
  EXPECT_THROW(validate(space, bad), InputError);
  bad = arch;
  bad.blocks.push_back({3, 3});
  EXPECT_THROW(validate(space, bad), InputError);
  bad = arch;
  bad.blocks[0].kernel = 2;
  EXPECT_THROW(validate(space, bad), InputError);
  bad = arch;
  bad.width = -1;
  EXPECT_THROW(validate(space, bad), InputError);
}

TEST(Rng, IsUniform) {
  Rng rng(23);
  int counts[7] = {};
  for (int i = 0; i < 70000; ++i) ++counts[rng.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = rng.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 100000, 0, 0.02);
  EXPECT_NEAR(squares / 100000, 1, 0.03);
}

}  // namespace
}  // namespace tinynas
