#include "search/ridge.h"

#include <Eigen/Eigenvalues>
#include <limits>

namespace tinynas {

Eigen::RowVectorXf Ridge::predict(const Eigen::MatrixXf& inputs) const {
  return (weights.transpose() * inputs).array() + bias;
}

RidgeFit fit_ridge(const Eigen::MatrixXf& inputs, const Eigen::RowVectorXf& targets) {
  const Eigen::VectorXd mean = inputs.cast<double>().rowwise().mean();
  const Eigen::MatrixXd x = inputs.cast<double>().colwise() - mean;
  const double offset = targets.cast<double>().mean();
  const Eigen::VectorXd y = targets.cast<double>().transpose().array() - offset;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(x * x.transpose());
  const Eigen::VectorXd spectrum = solver.eigenvalues().cwiseMax(0.0);
  const Eigen::MatrixXd rotated = solver.eigenvectors().transpose() * x;  // inputs in the directions of the spectrum
  const Eigen::VectorXd moments = rotated * y;
  const double count = static_cast<double>(y.size());
  RidgeFit best;
  double least = std::numeric_limits<double>::infinity();
  for (double penalty = 0.1; penalty < 3e4; penalty *= 2) {
    const Eigen::VectorXd inverse = (spectrum.array() + penalty).inverse();
    const Eigen::VectorXd fitted = rotated.transpose() * inverse.cwiseProduct(moments);
    // The leverage of every sample: what the mean and the weights owe to its own target.
    const Eigen::VectorXd leverage = (rotated.cwiseAbs2().transpose() * inverse).array() + 1 / count;
    const Eigen::VectorXd left_out = (y - fitted).array() / (1 - leverage.array()).max(1e-6);
    if (!(left_out.squaredNorm() < least)) continue;
    least = left_out.squaredNorm();
    const Eigen::VectorXd weights = solver.eigenvectors() * inverse.cwiseProduct(moments);
    best.ridge.weights = weights.cast<float>();
    best.ridge.bias = static_cast<float>(offset - weights.dot(mean));
    best.left_out_residuals = left_out.cast<float>().transpose();
  }
  return best;
}

}  // namespace tinynas
