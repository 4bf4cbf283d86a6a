// Predicts a network's accuracy from its choices, so that a search need not measure every candidate: an ensemble of small
// networks (3 x 400 ReLU -> 1, plus the mean accuracy; Cai et al., Once-for-All, 2020) fitted to measured pairs. A linear
// part takes what it can first, so that a hundred pairs already rank well; the network learns what the linear part leaves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "search/mlp.h"
#include "search/ridge.h"
#include "space/space.h"

namespace tinynas {

struct PredictorOptions {
  std::vector<std::int32_t> hidden{400, 400, 400};
  std::int32_t members = 4;    // of the ensemble, at least 2
  std::int32_t passes = 6000;  // pairs that each member sees in training, repeats counted; at least 8 epochs
  std::int32_t batch = 32;
  double rate = 1e-3, weight_decay = 1;
  std::uint64_t seed = 0;
  int threads = 0;  // below 1: all. Does not change results.
};

/// Every member leaves out one fold of the pairs; these figures are of predictions for pairs that the predicting member
/// never saw.
struct PredictorReport {
  std::int32_t pairs = 0;
  double kendall_tau = 0;
  double rmse = 0;       // in the unit of the accuracies
  double mean_rmse = 0;  // of always predicting the mean: what an RMSE is to be compared with
};

struct Prediction {
  double accuracy = 0;
  double spread = 0;  // standard deviation over the members: large where the predictor is unsure
};

class Predictor {
 public:
  explicit Predictor(SearchSpace space, PredictorOptions options = {});

  /// Fits from scratch. InputError for fewer than 8 pairs, lengths that differ, accuracies that are not finite, or archs
  /// outside the space.
  PredictorReport fit(std::span<const Arch> archs, std::span<const double> accuracies);

  /// InputError before fit().
  [[nodiscard]] std::vector<Prediction> predict(std::span<const Arch> archs) const;

  [[nodiscard]] const PredictorReport& report() const { return report_; }
  [[nodiscard]] bool fitted() const { return !members_.empty(); }
  [[nodiscard]] std::string to_json() const;
  static Predictor from_json(const std::string& text);

 private:
  struct Member {
    Ridge linear;
    Mlp rest;
    [[nodiscard]] Eigen::RowVectorXf predict(const Eigen::MatrixXf& inputs) const {
      return linear.predict(inputs) + rest.predict(inputs);
    }
  };

  [[nodiscard]] Eigen::MatrixXf inputs_of(std::span<const Arch> archs) const;
  [[nodiscard]] std::vector<std::int32_t> sizes() const;
  /// Trains on the pairs outside fold `member` and writes its predictions for those inside to `held_out`.
  [[nodiscard]] Member fit_member(std::size_t member, const Eigen::MatrixXf& inputs, std::span<const double> accuracies,
                                  const std::vector<std::int32_t>& folds, std::vector<double>& held_out) const;

  SearchSpace space_;
  PredictorOptions options_;
  std::vector<Member> members_;
  double mean_ = 0, deviation_ = 1;
  PredictorReport report_;
};

}  // namespace tinynas
