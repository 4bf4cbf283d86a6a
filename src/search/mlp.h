// A small regression network: fully connected layers with ReLU between them and one output, trained with Adam.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "space/json_reader.h"
#include "space/rng.h"

namespace tinynas {

struct MlpTraining {
  std::int32_t epochs = 100, batch = 32;
  double rate = 1e-3;          // of Adam, falling to zero along a half cosine
  double weight_decay = 1e-4;  // decoupled (Loshchilov and Hutter, 2019), not on biases
};

class Mlp {
 public:
  Mlp() = default;
  /// sizes = {inputs, hidden..., 1}; He-initialised from `rng`; biases and the last layer zero, so that nothing is predicted
  /// of what was never seen.
  Mlp(const std::vector<std::int32_t>& sizes, Rng& rng);

  /// [1, N] outputs of [inputs, N].
  [[nodiscard]] Eigen::RowVectorXf predict(const Eigen::MatrixXf& inputs) const;

  /// Least squares on columns of `inputs` and entries of `targets`. Deterministic by `rng`.
  void fit(const Eigen::MatrixXf& inputs, const Eigen::RowVectorXf& targets, const MlpTraining& training, Rng& rng);

  [[nodiscard]] nlohmann::json to_json() const;
  /// InputError unless it has exactly these sizes.
  static Mlp from_json(const JsonReader& json, const std::vector<std::int32_t>& sizes);

 private:
  struct Layer {
    Eigen::MatrixXf weights;  // [outputs, inputs]
    Eigen::VectorXf bias;
  };
  /// First and second moments of the gradient.
  struct Moments {
    Layer first, second;
  };
  struct Step {
    double rate = 0, weight_decay = 0;
    std::int64_t count = 0;
  };

  void train_step(const Eigen::MatrixXf& inputs, const Eigen::RowVectorXf& targets, const Step& step,
                  std::vector<Moments>& moments);

  std::vector<Layer> layers_;
};

}  // namespace tinynas
