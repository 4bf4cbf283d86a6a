#include "search/predictor.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "graph/error.h"
#include "search/features.h"
#include "search/parallel.h"
#include "search/rank.h"
#include "space/json.h"
#include "space/validate.h"

namespace tinynas {
namespace {

// Resolution and width matter more than any one block, which a penalty alike on all weights must be told.
constexpr float kWeightOfSize = 3;

void check(const PredictorOptions& options) {
  const auto range = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw InputError("[predictor] " + std::string(name) + ": expected " + std::to_string(low) + " to " +
                       std::to_string(high) + ", got " + std::to_string(value));
    }
  };
  range("members", options.members, 2, 64);
  range("passes", options.passes, 1, 1e9);
  range("batch", options.batch, 1, 1e6);
  range("rate", options.rate, 1e-9, 10);
  range("weight_decay", options.weight_decay, 0, 1);
  range("hidden layers", static_cast<double>(options.hidden.size()), 1, 8);
  for (const auto size : options.hidden) range("hidden", size, 1, 8192);
}

/// Fold of every pair: a random permutation dealt out in turn.
std::vector<std::int32_t> deal_folds(std::size_t pairs, std::int32_t folds, Rng& rng) {
  std::vector<std::int32_t> fold(pairs);
  for (std::size_t i = 0; i < pairs; ++i) fold[i] = static_cast<std::int32_t>(i) % folds;
  for (std::size_t i = pairs; i-- > 1;) std::swap(fold[i], fold[rng.below(static_cast<std::uint32_t>(i) + 1)]);
  return fold;
}

nlohmann::json member_json(const Ridge& linear, const Mlp& rest) {
  const std::vector<float> weights(linear.weights.begin(), linear.weights.end());
  return {{"weights", weights}, {"bias", linear.bias}, {"layers", rest.to_json()}};
}

Ridge linear_from_json(const JsonReader& json, std::size_t inputs) {
  const auto weights = json.field("weights").number_list();
  if (weights.size() != inputs) json.field("weights").fail(std::to_string(inputs) + " numbers");
  const std::vector<float> narrow(weights.begin(), weights.end());
  return {Eigen::Map<const Eigen::VectorXf>(narrow.data(), static_cast<Eigen::Index>(inputs)),
          static_cast<float>(json.field("bias").number())};
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Predictor::Predictor(SearchSpace space, PredictorOptions options) : space_(std::move(space)), options_(std::move(options)) {
  validate(space_);
  check(options_);
}

std::vector<std::int32_t> Predictor::sizes() const {
  std::vector<std::int32_t> result{static_cast<std::int32_t>(feature_count(space_))};
  result.insert(result.end(), options_.hidden.begin(), options_.hidden.end());
  result.push_back(1);
  return result;
}

Eigen::MatrixXf Predictor::inputs_of(std::span<const Arch> archs) const {
  Eigen::MatrixXf inputs(static_cast<Eigen::Index>(feature_count(space_)), static_cast<Eigen::Index>(archs.size()));
  for (std::size_t i = 0; i < archs.size(); ++i) {
    const std::vector<float> column = features(space_, archs[i]);
    inputs.col(static_cast<Eigen::Index>(i)) = Eigen::Map<const Eigen::VectorXf>(column.data(), inputs.rows());
  }
  inputs.bottomRows(2) *= kWeightOfSize;
  return inputs;
}

PredictorReport Predictor::fit(std::span<const Arch> archs, std::span<const double> accuracies) {
  const std::size_t pairs = archs.size();
  if (pairs != accuracies.size() || pairs < 8) {
    throw InputError("[predictor] fit: expected at least 8 networks and as many accuracies, got " + std::to_string(pairs) +
                     " and " + std::to_string(accuracies.size()));
  }
  for (const double accuracy : accuracies) {
    if (!std::isfinite(accuracy)) throw InputError("[predictor] fit: expected finite accuracies");
  }
  const Eigen::MatrixXf inputs = inputs_of(archs);
  mean_ = mean_of(accuracies);
  const std::vector<double> means(pairs, mean_);
  const double deviation = root_mean_square_error(accuracies, means);
  deviation_ = deviation > 0 ? deviation : 1;
  Rng rng(options_.seed, 0);
  const auto folds = deal_folds(pairs, options_.members, rng);
  std::vector<Member> members(static_cast<std::size_t>(options_.members));
  std::vector<double> held_out(pairs, mean_);
  parallel_for(members.size(), options_.threads,
               [&](std::size_t m) { members[m] = fit_member(m, inputs, accuracies, folds, held_out); });
  members_ = std::move(members);
  report_ = {static_cast<std::int32_t>(pairs), kendall_tau(held_out, accuracies),
             root_mean_square_error(held_out, accuracies), deviation};
  return report_;
}

Predictor::Member Predictor::fit_member(std::size_t member, const Eigen::MatrixXf& inputs,
                                        std::span<const double> accuracies, const std::vector<std::int32_t>& folds,
                                        std::vector<double>& held_out) const {
  std::vector<Eigen::Index> mine, others;
  for (std::size_t i = 0; i < folds.size(); ++i) {
    (folds[i] == static_cast<std::int32_t>(member) ? others : mine).push_back(static_cast<Eigen::Index>(i));
  }
  Eigen::RowVectorXf targets(static_cast<Eigen::Index>(mine.size()));
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const double accuracy = accuracies[static_cast<std::size_t>(mine[i])];
    targets(static_cast<Eigen::Index>(i)) = static_cast<float>((accuracy - mean_) / deviation_);
  }
  Rng rng(options_.seed, member + 1);
  const Eigen::MatrixXf known = inputs(Eigen::all, mine);
  RidgeFit linear = fit_ridge(known, targets);
  Member result{std::move(linear.ridge), Mlp(sizes(), rng)};
  const auto epochs = std::max(8, options_.passes / static_cast<std::int32_t>(mine.size()));
  result.rest.fit(known, linear.left_out_residuals, {epochs, options_.batch, options_.rate, options_.weight_decay}, rng);
  const Eigen::RowVectorXf predicted = result.predict(inputs(Eigen::all, others));
  for (std::size_t i = 0; i < others.size(); ++i) {
    held_out[static_cast<std::size_t>(others[i])] = mean_ + deviation_ * predicted(static_cast<Eigen::Index>(i));
  }
  return result;
}

std::vector<Prediction> Predictor::predict(std::span<const Arch> archs) const {
  if (!fitted()) throw InputError("[predictor] predict: expected fit() before");
  if (archs.empty()) return {};
  const Eigen::MatrixXf inputs = inputs_of(archs);
  Eigen::MatrixXf outputs(static_cast<Eigen::Index>(members_.size()), inputs.cols());
  parallel_for(members_.size(), options_.threads,
               [&](std::size_t m) { outputs.row(static_cast<Eigen::Index>(m)) = members_[m].predict(inputs); });
  std::vector<Prediction> result;
  for (Eigen::Index i = 0; i < outputs.cols(); ++i) {
    const double mean = outputs.col(i).cast<double>().mean();
    const double variance = (outputs.col(i).cast<double>().array() - mean).square().mean();
    result.push_back({mean_ + deviation_ * mean, deviation_ * std::sqrt(variance)});
  }
  return result;
}

std::string Predictor::to_json() const {
  nlohmann::json members = nlohmann::json::array();
  for (const Member& member : members_) members.push_back(member_json(member.linear, member.rest));
  return nlohmann::json{{"space", tinynas::to_json(space_)},
                        {"hidden", options_.hidden},
                        {"mean", mean_},
                        {"deviation", deviation_},
                        {"report",
                         {{"pairs", report_.pairs},
                          {"kendall_tau", report_.kendall_tau},
                          {"rmse", report_.rmse},
                          {"mean_rmse", report_.mean_rmse}}},
                        {"members", members}}
      .dump();
}

Predictor Predictor::from_json(const std::string& text) {
  const nlohmann::json document = parse_json(text, "predictor");
  const JsonReader reader(document, "predictor");
  reader.only({"space", "hidden", "mean", "deviation", "report", "members"});
  PredictorOptions options;
  options.hidden = reader.field("hidden").int32_list(1, 8192);
  const auto members = reader.field("members").items();
  options.members = std::max<std::int32_t>(2, static_cast<std::int32_t>(members.size()));
  Predictor result(space_from_json(reader.field("space").raw(), "predictor.space"), options);
  result.mean_ = reader.field("mean").number();
  result.deviation_ = reader.field("deviation").number();
  const JsonReader report = reader.field("report");
  result.report_ = {report.field("pairs").int32(0, 1 << 30), report.field("kendall_tau").number(),
                    report.field("rmse").number(), report.field("mean_rmse").number()};
  for (const JsonReader& member : members) {
    result.members_.push_back(
        {linear_from_json(member, feature_count(result.space_)), Mlp::from_json(member.field("layers"), result.sizes())});
  }
  return result;
}

}  // namespace tinynas
