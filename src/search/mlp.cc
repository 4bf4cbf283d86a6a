#include "search/mlp.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "graph/base64.h"

namespace tinynas {
namespace {

constexpr float kBeta1 = 0.9F, kBeta2 = 0.999F, kEpsilon = 1e-8F;

template <typename Matrix>
void adam(Matrix& value, const Matrix& gradient, Matrix& first, Matrix& second, float rate, float shrink) {
  first = kBeta1 * first + (1 - kBeta1) * gradient;
  second = kBeta2 * second + (1 - kBeta2) * gradient.cwiseAbs2();
  value.array() = value.array() * shrink - rate * first.array() / (second.array().sqrt() + kEpsilon);
}

template <typename Matrix>
std::string encode(const Matrix& matrix) {
  static_assert(std::endian::native == std::endian::little, "the JSON form is little-endian");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(matrix.size()) * sizeof(float));
  std::memcpy(bytes.data(), matrix.data(), bytes.size());
  return encode_base64(bytes);
}

template <typename Matrix>
void decode(const JsonReader& json, Matrix& matrix) {
  const auto bytes = decode_base64(json.string());
  if (!bytes || bytes->size() != static_cast<std::size_t>(matrix.size()) * sizeof(float)) {
    json.fail(std::to_string(matrix.size()) + " floats in base64");
  }
  std::memcpy(matrix.data(), bytes->data(), bytes->size());
  if (!matrix.allFinite()) json.fail("finite values");
}

}  // namespace

Mlp::Mlp(const std::vector<std::int32_t>& sizes, Rng& rng) {
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    Layer layer{Eigen::MatrixXf(sizes[i + 1], sizes[i]), Eigen::VectorXf::Zero(sizes[i + 1])};
    const double scale = std::sqrt(2.0 / sizes[i]);
    for (float& weight : layer.weights.reshaped()) weight = static_cast<float>(scale * rng.normal());
    layers_.push_back(std::move(layer));
  }
  layers_.back().weights.setZero();
}

Eigen::RowVectorXf Mlp::predict(const Eigen::MatrixXf& inputs) const {
  Eigen::MatrixXf values = inputs;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    values = ((layers_[i].weights * values).colwise() + layers_[i].bias).eval();
    if (i + 1 < layers_.size()) values = values.cwiseMax(0.0F);
  }
  return values.row(0);
}

void Mlp::train_step(const Eigen::MatrixXf& inputs, const Eigen::RowVectorXf& targets, const Step& step,
                     std::vector<Moments>& moments) {
  std::vector<Eigen::MatrixXf> values{inputs};  // the input of every layer, then the output
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Eigen::MatrixXf next = layers_[i].weights * values.back();
    next.colwise() += layers_[i].bias;
    if (i + 1 < layers_.size()) next = next.cwiseMax(0.0F).eval();
    values.push_back(std::move(next));
  }
  const auto count = static_cast<double>(step.count);
  const auto rate = static_cast<float>(step.rate * std::sqrt(1 - std::pow(kBeta2, count)) / (1 - std::pow(kBeta1, count)));
  const auto shrink = static_cast<float>(1 - step.rate * step.weight_decay);
  Eigen::MatrixXf gradient = (values.back() - targets) * (2.0F / static_cast<float>(targets.size()));
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer change{gradient * values[i].transpose(), gradient.rowwise().sum()};
    if (i > 0)
      gradient = ((layers_[i].weights.transpose() * gradient).array() * (values[i].array() > 0).cast<float>()).eval();
    adam(layers_[i].weights, change.weights, moments[i].first.weights, moments[i].second.weights, rate, shrink);
    adam(layers_[i].bias, change.bias, moments[i].first.bias, moments[i].second.bias, rate, 1.0F);
  }
}

void Mlp::fit(const Eigen::MatrixXf& inputs, const Eigen::RowVectorXf& targets, const MlpTraining& training, Rng& rng) {
  std::vector<Moments> moments;
  for (const Layer& layer : layers_) {
    const Layer zero{Eigen::MatrixXf::Zero(layer.weights.rows(), layer.weights.cols()),
                     Eigen::VectorXf::Zero(layer.bias.size())};
    moments.push_back({zero, zero});
  }
  const auto samples = static_cast<std::int32_t>(inputs.cols());
  std::vector<std::int32_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  const std::int64_t per_epoch = (samples + training.batch - 1) / training.batch;
  const auto total = static_cast<double>(per_epoch * training.epochs);
  Step step{0, training.weight_decay, 0};
  for (std::int32_t epoch = 0; epoch < training.epochs; ++epoch) {
    for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[rng.below(static_cast<std::uint32_t>(i) + 1)]);
    for (std::int32_t first = 0; first < samples; first += training.batch) {
      const std::int32_t size = std::min(training.batch, samples - first);
      Eigen::MatrixXf batch(inputs.rows(), size);
      Eigen::RowVectorXf wanted(size);
      for (std::int32_t i = 0; i < size; ++i) {
        const std::int32_t source = order[static_cast<std::size_t>(first + i)];
        batch.col(i) = inputs.col(source);
        wanted(i) = targets(source);
      }
      step.rate = training.rate * 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(step.count) / total));
      ++step.count;
      train_step(batch, wanted, step, moments);
    }
  }
}

nlohmann::json Mlp::to_json() const {
  nlohmann::json layers = nlohmann::json::array();
  for (const Layer& layer : layers_) layers.push_back({{"weights", encode(layer.weights)}, {"bias", encode(layer.bias)}});
  return layers;
}

Mlp Mlp::from_json(const JsonReader& json, const std::vector<std::int32_t>& sizes) {
  const auto items = json.items();
  if (items.size() + 1 != sizes.size()) json.fail(std::to_string(sizes.size() - 1) + " layers");
  Mlp result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Layer layer{Eigen::MatrixXf(sizes[i + 1], sizes[i]), Eigen::VectorXf(sizes[i + 1])};
    decode(items[i].field("weights"), layer.weights);
    decode(items[i].field("bias"), layer.bias);
    result.layers_.push_back(std::move(layer));
  }
  return result;
}

}  // namespace tinynas
