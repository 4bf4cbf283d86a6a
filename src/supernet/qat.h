// Quantisation-aware training of one network (Esser et al., Learned Step Size Quantization, ICLR 2020, "LSQ"): weights and
// activations pass through quantisers whose step sizes are trained with them. The network is a float graph, its BatchNorms
// already folded, so that what is trained is what the engine multiplies.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/formats.h"
#include "graph/graph.h"
#include "supernet/layers.h"
#include "supernet/train_step.h"

namespace tinynas {

/// Levels [low, high] of a quantiser, in units of its step.
struct QuantizerRange {
  double low = 0, high = 0;
};

/// v rounded to low..high steps: clamp(v / step, low, high) rounded, times the step. `step` broadcasts against v. Its
/// gradient by v is 1 inside the range and 0 outside, that by the step LSQ's (equation 3) times `gradient_scale`. With a
/// `grid` (broadcasts against v) levels are rounded as TensorFlow Lite's multiplier and shift round them: first to
/// 1 / grid.
[[nodiscard]] at::Tensor quantize_lsq(const at::Tensor& v, const at::Tensor& step, QuantizerRange range,
                                      double gradient_scale, const at::Tensor& grid = {});

/// A float graph of convolutions (plain and depthwise), fully connected operators, ADD, global average pools and reshapes
/// with its quantisers: weights symmetric with a step per output channel, activations with one step per tensor and, unless
/// start_from() says otherwise, from zero up behind ReLU and ReLU6 and symmetric elsewhere. The image is (pixel - 128) /
/// 128, which 8 bits hold exactly.
class QatNet {
 public:
  /// Bits as formats and activation_bits() say. InputError for other operators and for a graph that is not float with data.
  QatNet(Graph graph, std::vector<Format> formats);

  /// Sets every step to LSQ's 2 <|v|> / sqrt(high) (section 2.1): weights' from the weights, activations' from one batch of
  /// images, uint8 [N, R, R, C].
  void initialise(const at::Tensor& images);
  /// Takes steps, zero points and biases from `quantised`, what quantize() made of the same graph in the same formats:
  /// forward() then simulates that network. InputError for another network or other formats.
  void start_from(const Graph& quantised);
  /// Logits [N, classes] of normalised images [N, C, R, R]; `quantised` false: of the float network as it now stands.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, bool quantised = true) const;
  /// The integer network that computes what forward() simulates.
  [[nodiscard]] Graph to_graph() const;

  /// Weights and biases, then step sizes (none of them decays); always in the same order.
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  void to(const at::Device& device);

 private:
  struct Layer {
    std::size_t weight = 0, bias = 0, step = 0;  // in parameters_
    bool has_bias = false;
  };

  void add_layer(std::size_t op);
  void add_activation(std::int32_t tensor);
  [[nodiscard]] at::Tensor run_operator(std::size_t op, const std::vector<at::Tensor>& values, bool quantised) const;
  [[nodiscard]] at::Tensor convolve(std::size_t op, const at::Tensor& x, bool quantised) const;
  [[nodiscard]] at::Tensor quantised_weight(std::size_t op) const;
  [[nodiscard]] at::Tensor quantised_bias(std::size_t op) const;
  /// What one unit of an operator's accumulator stands for, [Co].
  [[nodiscard]] at::Tensor accumulator_step(std::size_t op) const;
  [[nodiscard]] at::Tensor rounding_grid(std::size_t op, const at::Tensor& output_step) const;
  [[nodiscard]] QuantizerRange weight_range(std::size_t op) const;
  [[nodiscard]] QuantizerRange activation_range(std::int32_t tensor) const;
  [[nodiscard]] std::vector<at::Tensor> run(const at::Tensor& x, bool quantised) const;
  void start_layer(const Graph& quantised, std::size_t op);
  void export_weights(Graph& graph, std::size_t op) const;

  Graph graph_;
  std::vector<Format> formats_;
  std::vector<std::int32_t> bits_;            // by tensor
  std::vector<Layer> layers_;                 // by operator
  std::vector<std::int32_t> step_of_;         // by tensor: parameter of its step, -1: none of its own
  std::vector<std::int32_t> shares_step_of_;  // by tensor: the tensor whose step it has, itself where it has its own
  std::vector<std::int32_t> zero_;            // by tensor: zero point
  std::vector<Parameter> parameters_;
};

/// TrainStep's interface for a QatNet: SGD with Nesterov momentum over weights and steps.
class QatStep {
 public:
  QatStep(std::shared_ptr<QatNet> net, const TrainOptions& options);
  /// Adds the gradients of one batch: (1 - label_share) of the soft loss against `teacher` [N, classes] and label_share of
  /// the label loss; without a teacher the label loss alone.
  StepLosses accumulate(const at::Tensor& images, const at::Tensor& labels, const at::Tensor& teacher = {});
  void clear_gradients() { tinynas::clear_gradients(net_->parameters()); }
  /// Returns the gradient's norm before clipping. Steps stay positive.
  double apply(double learning_rate);
  [[nodiscard]] const std::vector<at::Tensor>& momentum() const { return momentum_; }

 private:
  std::shared_ptr<QatNet> net_;
  TrainOptions options_;
  std::vector<at::Tensor> momentum_;
};

}  // namespace tinynas
