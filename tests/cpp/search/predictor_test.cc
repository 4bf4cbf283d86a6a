#include "search/predictor.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "search/fake_oracle.h"
#include "search/features.h"
#include "search/rank.h"

namespace tinynas {
namespace {

using testing::made_up_accuracy;
using testing::small_space;

struct Pairs {
  std::vector<Arch> archs;
  std::vector<double> accuracies;
};

Pairs draw(int count, std::uint64_t seed) {
  const SearchSpace space = small_space();
  Rng rng(seed);
  Pairs pairs;
  for (int i = 0; i < count; ++i) {
    const std::int32_t resolution = space.resolutions[rng.below(3)];
    pairs.archs.push_back(sample(space, resolution, space.widths[rng.below(2)], rng));
    pairs.accuracies.push_back(made_up_accuracy(space, pairs.archs.back()) + 0.02 * rng.normal());
  }
  return pairs;
}

PredictorOptions quick() {
  PredictorOptions options;
  options.hidden = {64, 64, 64};
  options.threads = 2;
  return options;
}

std::vector<double> values(const std::vector<Prediction>& predictions) {
  std::vector<double> result;
  for (const Prediction& prediction : predictions) result.push_back(prediction.accuracy);
  return result;
}

TEST(Features, OneHotWhereUsedAndZeroWhereSkipped) {
  const SearchSpace space = small_space();
  Arch arch = smallest(space, 24, 1.0);
  arch.depths = {2, 1};
  arch.blocks[1] = {5, 4};
  const std::vector<float> row = features(space, arch);
  ASSERT_EQ(row.size(), feature_count(space));
  ASSERT_EQ(row.size(), 6U * 6 + 2);
  EXPECT_EQ(std::vector<float>(row.begin(), row.begin() + 18),
            (std::vector<float>{1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(std::vector<float>(row.end() - 2, row.end()), (std::vector<float>{0.5F, 1.0F}));
  arch.blocks[0].expansion = 5;
  EXPECT_THROW((void)features(space, arch), InputError);
}

TEST(Predictor, RanksNetworksThatItNeverSaw) {
  const Pairs known = draw(200, 1), fresh = draw(100, 2);
  Predictor predictor(small_space(), quick());
  const PredictorReport report = predictor.fit(known.archs, known.accuracies);
  EXPECT_EQ(report.pairs, 200);
  EXPECT_GT(report.kendall_tau, 0.75);
  EXPECT_LT(report.rmse, 0.5 * report.mean_rmse);
  const std::vector<double> predicted = values(predictor.predict(fresh.archs));
  EXPECT_GT(kendall_tau(predicted, fresh.accuracies), 0.8);
  EXPECT_NEAR(root_mean_square_error(predicted, fresh.accuracies), report.rmse, 0.5 * report.rmse);
}

TEST(Predictor, IsDeterministicBySeedWhateverTheThreads) {
  const Pairs known = draw(40, 1), fresh = draw(10, 2);
  PredictorOptions one = quick(), two = quick(), other = quick();
  one.threads = 1;
  other.seed = 9;
  Predictor a(small_space(), one), b(small_space(), two), c(small_space(), other);
  a.fit(known.archs, known.accuracies);
  b.fit(known.archs, known.accuracies);
  c.fit(known.archs, known.accuracies);
  EXPECT_EQ(values(a.predict(fresh.archs)), values(b.predict(fresh.archs)));
  EXPECT_NE(values(a.predict(fresh.archs)), values(c.predict(fresh.archs)));
}

TEST(Predictor, JsonRoundTripsToTheBit) {
  const Pairs known = draw(30, 1), fresh = draw(10, 2);
  Predictor predictor(small_space(), quick());
  predictor.fit(known.archs, known.accuracies);
  const Predictor again = Predictor::from_json(predictor.to_json());
  EXPECT_EQ(values(again.predict(fresh.archs)), values(predictor.predict(fresh.archs)));
  EXPECT_EQ(again.report().kendall_tau, predictor.report().kendall_tau);
  const nlohmann::json good = nlohmann::json::parse(predictor.to_json());
  for (const char* path :
       {"/space", "/hidden", "/mean", "/members/0/layers/0/weights", "/members/0/weights", "/members/1", "/report/pairs"}) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(path)] = "AAAA";
    EXPECT_THROW((void)Predictor::from_json(bad.dump()), InputError) << path;
  }
}

TEST(Predictor, ConstantAccuraciesAndFewPairs) {
  Pairs known = draw(8, 1);
  known.accuracies.assign(8, 0.5);
  Predictor predictor(small_space(), quick());
  EXPECT_THROW((void)predictor.predict(known.archs), InputError);
  predictor.fit(known.archs, known.accuracies);
  for (const double value : values(predictor.predict(known.archs))) EXPECT_NEAR(value, 0.5, 0.5);
  known.archs.pop_back();
  EXPECT_THROW(predictor.fit(known.archs, known.accuracies), InputError);
  known.accuracies.pop_back();
  EXPECT_THROW(predictor.fit(known.archs, known.accuracies), InputError);
}

}  // namespace
}  // namespace tinynas
