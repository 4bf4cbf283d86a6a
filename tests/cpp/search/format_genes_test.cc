// Formats of blocks as genes: drawn, varied, written, and in the graph that is built.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "graph/error.h"
#include "graph/formats.h"
#include "search/features.h"
#include "space/build_graph.h"
#include "space/json.h"
#include "space/sample.h"
#include "space/spaces.h"
#include "space/validate.h"

namespace tinynas::testing {
namespace {

const std::vector<Format> kAll = {Format::w8a8, Format::w4a8, Format::w4a4};

SearchSpace mixed_space() {
  SearchSpace space = tiny_space();
  space.feature_mix = 32;
  space.formats = kAll;
  return space;
}

TEST(Formats, AreDrawnForEveryUnit) {
  const SearchSpace space = mixed_space();
  Rng rng(1);
  std::vector<std::set<Format>> seen(5);
  for (int i = 0; i < 200; ++i) {
    const Arch arch = sample(space, 8, 1.0, rng);
    ASSERT_TRUE(contains(space, arch));
    ASSERT_EQ(arch.formats.size(), unit_count(arch));
    for (std::size_t unit = 0; unit < 5; ++unit) seen[unit].insert(arch.formats[unit]);
    ASSERT_EQ(parse_arch(to_json(arch).dump()), arch);
  }
  for (const auto& formats : seen) EXPECT_EQ(formats.size(), 3U);
  EXPECT_TRUE(sample(tiny_space(), 8, 1.0, rng).formats.empty());
  EXPECT_EQ(to_json(parse_space(to_json(space).dump())), to_json(space));
}

TEST(Formats, MutateAloneAndCrossWithTheirBlocks) {
  const SearchSpace space = mixed_space();
  Rng rng(2);
  const Arch wide = largest(space, 8, 1.0), narrow = smallest(space, 8, 1.0);
  EXPECT_EQ(wide.formats, std::vector<Format>(5, Format::w8a8));
  EXPECT_EQ(narrow.formats, std::vector<Format>(5, Format::w4a4));
  int alone = 0;
  for (int i = 0; i < 200; ++i) {
    const Arch child = crossover(space, wide, narrow, rng);
    for (std::size_t b = 0; b < wide.blocks.size(); ++b) {
      if (wide.blocks[b] == narrow.blocks[b]) continue;
      ASSERT_EQ(child.formats[1 + b], child.blocks[b] == wide.blocks[b] ? Format::w8a8 : Format::w4a4);
    }
    const Arch mutant = mutate(space, wide, 0.1, rng);
    ASSERT_TRUE(contains(space, mutant));
    alone += mutant.blocks == wide.blocks && mutant.formats != wide.formats ? 1 : 0;
  }
  EXPECT_GT(alone, 10);
  EXPECT_THROW((void)crossover(space, wide, smallest(tiny_space(), 8, 1.0), rng), InputError);
}

TEST(Formats, OfTheGraphAreThoseOfItsBlocks) {
  const SearchSpace space = mixed_space();
  Arch arch = smallest(space, 8, 1.0);
  arch.formats = {Format::w4a8, Format::w4a4, Format::w4a4, Format::w8a8, Format::w4a8};  // the second block is not used
  const Graph graph = build_graph(space, arch);
  const auto formats = operator_formats(space, arch);
  ASSERT_EQ(formats.size(), graph.operators.size());
  for (std::size_t i = 0; i < formats.size(); ++i) {
    const Operator& op = graph.operators[i];
    if (!has_weights(op)) continue;
    const bool eight = op.name == "stem" || op.name == "classifier" || op.name.starts_with("stages.1.");
    EXPECT_EQ(graph.tensors[op.inputs[1]].dtype, eight ? DType::s8 : DType::s4) << op.name;
    const bool maps = op.name.starts_with("stages.0.");
    EXPECT_EQ(graph.tensors[op.inputs[0]].dtype, maps ? DType::s4 : DType::s8) << op.name;
  }
}

TEST(Formats, AreFeaturesOfUsedUnits) {
  const SearchSpace space = mixed_space();
  Arch arch = smallest(space, 8, 1.0);
  arch.formats.assign(5, Format::w8a8);
  const auto plain = features(space, arch);
  EXPECT_EQ(plain.size(), feature_count(space));
  EXPECT_EQ(plain.size(), feature_count(tiny_space()) + 10);
  arch.formats[2] = Format::w4a4;  // of a block that is skipped
  EXPECT_EQ(features(space, arch), plain);
  arch.formats[1] = Format::w4a8;
  EXPECT_NE(features(space, arch), plain);
}

TEST(Formats, OfAnotherShapeAreRefused) {
  const SearchSpace space = mixed_space();
  Arch arch = smallest(space, 8, 1.0);
  arch.formats.pop_back();
  EXPECT_FALSE(contains(space, arch));
  EXPECT_THROW(validate(space, arch), InputError);
  EXPECT_FALSE(contains(tiny_space(), smallest(space, 8, 1.0)));
  SearchSpace other = space;
  other.formats = {Format::w4a4, Format::w8a8};
  EXPECT_THROW(validate(other), InputError);
  EXPECT_THROW((void)parse_formats({"w2a2"}), InputError);
}

}  // namespace
}  // namespace tinynas::testing
