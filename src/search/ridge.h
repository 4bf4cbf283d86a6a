// Linear regression with a penalty on the squared weights, the penalty chosen by leave-one-out error in closed form.
#pragma once

#include <Eigen/Core>

namespace tinynas {

struct Ridge {
  Eigen::VectorXf weights;  // one per input row
  float bias = 0;

  /// [1, N] of [inputs, N].
  [[nodiscard]] Eigen::RowVectorXf predict(const Eigen::MatrixXf& inputs) const;
};

struct RidgeFit {
  Ridge ridge;
  /// What is left of every target when it is predicted from all others.
  Eigen::RowVectorXf left_out_residuals;
};

/// `inputs` [inputs, N], `targets` [1, N], N at least 2.
[[nodiscard]] RidgeFit fit_ridge(const Eigen::MatrixXf& inputs, const Eigen::RowVectorXf& targets);

}  // namespace tinynas
