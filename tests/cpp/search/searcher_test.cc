// The conformance suite that every searcher passes, and what each does beyond it.
#include "search/searcher.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "graph/error.h"
#include "search/evolution.h"
#include "search/fake_oracle.h"
#include "space/build_graph.h"
#include "space/json.h"
#include "space/validate.h"

namespace tinynas {
namespace {

using testing::FakeOracle;
using testing::made_up_accuracy;
using testing::small_space;

Limits tight() {
  Limits limits;
  limits.sram_bytes = 30000;
  limits.flash_bytes = 16000;
  limits.macs = 1500000;
  return limits;
}

SearchOptions quick(std::uint64_t seed = 0) {
  SearchOptions options;
  options.population = 20;
  options.parents = 5;
  options.crossovers = options.mutations = 10;
  options.generations = 6;
  options.attempts = 100;
  options.seed = seed;
  options.threads = 2;
  return options;
}

std::unique_ptr<Searcher> make(const std::string& name, const SearchOptions& options = quick(), Limits limits = tight()) {
  return make_searcher(name, small_space(), std::make_shared<FakeOracle>(), limits, options);
}

void step(Searcher& searcher) {
  std::vector<double> accuracies;
  for (const Candidate& candidate : searcher.ask()) accuracies.push_back(made_up_accuracy(small_space(), candidate.arch));
  searcher.tell(accuracies);
}

void run(Searcher& searcher) {
  while (!searcher.ask().empty()) step(searcher);
}

class SearcherTest : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, SearcherTest, ::testing::ValuesIn(searcher_names()),
                         [](const auto& test) { return std::string(test.param).substr(0, 4); });

TEST_P(SearcherTest, ProposesOnlyNewNetworksWithinTheLimits) {
  const auto searcher = make(GetParam());
  run(*searcher);
  EXPECT_EQ(searcher->name(), GetParam());
  EXPECT_TRUE(searcher->finished());
  EXPECT_LE(static_cast<std::int64_t>(searcher->history().size()), searcher->measurements());
  EXPECT_GE(static_cast<std::int64_t>(searcher->history().size()), searcher->measurements() * 9 / 10);
  const FakeOracle oracle;
  std::set<std::string> networks;
  for (const Candidate& candidate : searcher->history()) {
    EXPECT_TRUE(contains(small_space(), candidate.arch));
    EXPECT_TRUE(fits(candidate.score, tight()));
    EXPECT_EQ(candidate.score, score_of(small_space(), oracle, candidate.arch));
    Arch used = candidate.arch;  // genes of skipped blocks do not make another network
    for (std::size_t s = 0; s < used.depths.size(); ++s) {
      for (std::int32_t b = used.depths[s]; b < 3; ++b) used.blocks[s * 3 + static_cast<std::size_t>(b)] = {};
    }
    EXPECT_TRUE(networks.insert(to_json(used).dump()).second);
  }
}

TEST_P(SearcherTest, IsDeterministicBySeedWhateverTheThreads) {
  SearchOptions one = quick(4), three = quick(4);
  one.threads = 1;
  three.threads = 3;
  const auto a = make(GetParam(), one), b = make(GetParam(), three), c = make(GetParam(), quick(5));
  run(*a);
  run(*b);
  run(*c);
  EXPECT_EQ(a->to_json(), b->to_json());
  EXPECT_NE(a->history()[0].arch, c->history()[0].arch);
}

TEST_P(SearcherTest, ResumesToTheSameResultFromEveryState) {
  const auto whole = make(GetParam());
  run(*whole);
  auto current = make(GetParam());
  for (int i = 0; !current->ask().empty(); ++i) {
    const std::string state = current->to_json();
    current = make(GetParam());  // the process died; the new one knows the state alone
    current->restore(state);
    EXPECT_EQ(current->to_json(), state);
    step(*current);
    if (i % 2 == 0) continue;  // also between tell and ask
    const std::string between = current->to_json();
    current = make(GetParam());
    current->restore(between);
  }
  EXPECT_EQ(current->to_json(), whole->to_json());
}

TEST_P(SearcherTest, AskRepeatsUntilTell) {
  const auto searcher = make(GetParam());
  const std::vector<Candidate> first = searcher->ask();
  ASSERT_EQ(first.size(), 20U);
  EXPECT_EQ(searcher->ask()[7].arch, first[7].arch);
  EXPECT_THROW(searcher->tell({1.0}), InputError);
  std::vector<double> bad(20, 0.5);
  bad[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(searcher->tell(bad), InputError);
  searcher->tell(std::vector<double>(20, 0.5));
  EXPECT_EQ(searcher->best()->arch, first[0].arch);  // the first of equals
}

TEST_P(SearcherTest, AnInfeasibleBudgetEndsAtOnce) {
  Limits limits;
  limits.sram_bytes = 100;
  const auto searcher = make(GetParam(), quick(), limits);
  EXPECT_TRUE(searcher->ask().empty());
  EXPECT_TRUE(searcher->finished());
  EXPECT_FALSE(searcher->best());
}

TEST_P(SearcherTest, AnExhaustedSpaceEndsEarly) {
  SearchSpace space = small_space();
  space.resolutions = {16};
  space.widths = {1.0};
  space.stages = {{16, 2, {1, 2}, {3}, {2, 3}}};  // 2 + 4 networks
  const auto searcher = make_searcher(GetParam(), space, std::make_shared<FakeOracle>(), {}, quick());
  std::size_t count = 0;
  while (!searcher->ask().empty()) {
    count += searcher->ask().size();
    searcher->tell(std::vector<double>(searcher->ask().size(), 1.0));
  }
  EXPECT_EQ(count, 6U);
}

TEST_P(SearcherTest, ABudgetThatRandomNetworksMissIsReachedFromBelow) {
  const FakeOracle oracle;
  const SmallestFootprint least = smallest_footprint(small_space(), oracle, {});
  Limits limits;
  limits.flash_bytes = least.least_flash.score.flash_bytes + 400;
  const auto searcher = make(GetParam(), quick(), limits);
  EXPECT_FALSE(searcher->ask().empty());
}

TEST_P(SearcherTest, RefusesStatesOfOtherSearches) {
  const auto searcher = make(GetParam());
  step(*searcher);
  const std::string before = searcher->to_json();
  const auto refuse = [&](const nlohmann::json& state) { EXPECT_THROW(searcher->restore(state.dump()), InputError); };
  const nlohmann::json good = nlohmann::json::parse(before);
  for (const char* path :
       {"/identity/searcher", "/identity/options/seed", "/identity/limits/macs", "/identity/space/classes", "/rng",
        "/generation", "/history/0/arch/depths", "/pool", "/finished", "/asked"}) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(path)] = "nonsense";
    refuse(bad);
  }
  EXPECT_THROW(searcher->restore("{"), InputError);
  EXPECT_EQ(searcher->to_json(), before);  // a refused state changes nothing
}

TEST(Searchers, RefuseBadOptions) {
  SearchOptions bad = quick();
  bad.population = 0;
  EXPECT_THROW(make("evolution", bad), InputError);
  bad = quick();
  bad.mutation_probability = 1.5;
  EXPECT_THROW(make("evolution", bad), InputError);
  bad = quick();
  bad.objectives = {"beauty"};
  EXPECT_THROW(make("evolution", bad), InputError);
  EXPECT_THROW(make("guessing"), InputError);
  EXPECT_THROW(make_searcher("random", small_space(), nullptr, {}, quick()), InputError);
}

TEST(Evolution, BeatsRandomSearchAtEqualMeasurements) {
  int wins = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto evolution = make("evolution", quick(seed)), random = make("random", quick(seed));
    run(*evolution);
    run(*random);
    wins += evolution->best()->accuracy > random->best()->accuracy;
  }
  EXPECT_GE(wins, 4);
}

TEST(Evolution, SearchesResolutionAndWidthWhenTheSpaceListsSeveral) {
  const auto searcher = make("evolution");
  run(*searcher);
  std::set<std::int32_t> resolutions;
  std::set<double> widths;
  for (const Candidate& candidate : searcher->history()) {
    resolutions.insert(candidate.arch.resolution);
    widths.insert(candidate.arch.width);
  }
  EXPECT_EQ(resolutions.size(), 3U);
  EXPECT_EQ(widths.size(), 2U);
}

TEST(Evolution, KeepsAFrontWhenThereAreObjectives) {
  SearchOptions options = quick();
  options.objectives = {"sram", "macs"};
  const auto searcher = make("evolution", options), single = make("evolution");
  run(*searcher);
  run(*single);
  const auto volume = [](const Searcher& s) {
    std::vector<Objectives> points;
    for (const Candidate& c : s.history()) {
      points.push_back({-c.accuracy, static_cast<double>(c.score.sram_bytes), static_cast<double>(c.score.macs)});
    }
    return hypervolume(points, {0, 30001, 1500001});
  };
  EXPECT_GE(searcher->front().size(), 3U);
  EXPECT_GT(volume(*searcher), volume(*single));
}

}  // namespace
}  // namespace tinynas
