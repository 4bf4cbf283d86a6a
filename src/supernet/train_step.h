// One step of supernet training: which subnets, their losses, backward, and the optimiser.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "supernet/loss.h"
#include "supernet/sort.h"
#include "supernet/supernet.h"

namespace tinynas {

/// The part of the space that is trained: with values, the (R, W) subspace of the paper; without, R and W are elastic.
struct Subspace {
  std::optional<std::int32_t> resolution;
  std::optional<double> width;
};

/// The subnets of one step of the sandwich rule (Yu et al., BigNAS, 2020): the largest, the smallest, and `random` drawn
/// ones, all at the step's resolution, which is drawn too when it is elastic. Deterministic by (seed, epoch, step), so that
/// every machine, and a resumed run, draws the same.
[[nodiscard]] std::vector<Arch> sandwich_archs(const SearchSpace& space, const Subspace& subspace, std::int32_t random,
                                               const std::array<std::uint64_t, 3>& seed_epoch_step);

enum class Distillation : std::uint8_t { none, alpha, soft };

struct TrainOptions {
  Distillation distillation = Distillation::alpha;
  DivergenceOptions divergence;
  double label_smoothing = 0.1;
  double label_share = 0.0;      // of the label loss in a distilled subnet's loss, 0 to 1
  double momentum = 0.9;         // Nesterov
  double weight_decay = 3e-5;    // not on normalisation, biases and kernel transforms
  double clip_norm = 1.0;        // of the whole gradient; 0: no clipping
  double ema_decay = 0.0;        // of the averaged weights; 0: none
  bool mixed_precision = false;  // CUDA: autocast to bfloat16
  bool fused = true;             // our own kernels on the CPU
};

struct StepLosses {
  double first = 0;          // label loss of the first subnet
  double others = 0;         // mean loss of the others, 0 when there are none
  std::int64_t correct = 0;  // of the first subnet, in this batch
};

/// Sets all gradients that there are to zero.
void clear_gradients(const std::vector<Parameter>& parameters);

/// One step of SGD with Nesterov momentum on the parameters' gradients, the whole gradient clipped before; updates
/// `momentum`, one tensor per parameter. `learning_rate`: a number on the parameters' device, float []. Returns the
/// gradient's norm before clipping, float [] there; nothing waits for the device.
at::Tensor sgd_step(const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& momentum,
                    const TrainOptions& options, const at::Tensor& learning_rate);
/// The same for a number, which is read and waited for.
double sgd_step(const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& momentum,
                const TrainOptions& options, double learning_rate);

/// Holds the optimiser's state. Not safe for use from two threads.
class TrainStep {
 public:
  TrainStep(std::shared_ptr<Supernet> net, const TrainOptions& options);

  /// Adds the gradients of one batch to the parameters' (call clear_gradients() first). images: uint8 [N, R, R, C] on the
  /// network's device; labels: int64 [N], or each class's share as float [N, classes]. The first arch learns from the
  /// labels; the others from its soft labels, or, when `teacher` [N, classes] is given, all learn from the teacher.
  StepLosses accumulate(const at::Tensor& images, const at::Tensor& labels, const std::vector<Arch>& archs,
                        const at::Tensor& teacher = {});
  /// As accumulate(), but nothing waits for the device: StepLosses' three values stay there, as double [3].
  at::Tensor accumulate_there(const at::Tensor& images, const at::Tensor& labels, const std::vector<Arch>& archs,
                              const at::Tensor& teacher = {});
  void clear_gradients() { tinynas::clear_gradients(net_->parameters()); }
  /// Clips, then SGD with Nesterov momentum, then the moving average. Returns the gradient's norm before clipping.
  double apply(double learning_rate);
  /// As apply(), but nothing waits for the device: `learning_rate` and the norm are float [] there.
  at::Tensor apply_there(const at::Tensor& learning_rate);

  /// Sorts the network's channels by importance; momentum and average follow.
  void sort_channels(SortedChannels which);
  /// A new optimiser: no momentum, and the average starts from the weights as they are.
  void restart();

  [[nodiscard]] const std::shared_ptr<Supernet>& net() const { return net_; }
  /// One tensor per parameter; empty tensors' lists where the option is off.
  [[nodiscard]] const std::vector<at::Tensor>& momentum() const { return momentum_; }
  [[nodiscard]] const std::vector<at::Tensor>& average() const { return average_; }

 private:
  [[nodiscard]] std::vector<at::Tensor> values() const;

  std::shared_ptr<Supernet> net_;
  TrainOptions options_;
  std::vector<at::Tensor> momentum_, average_;
};

/// What the network sees: (pixel - 128) / 128 as float [N, C, R, R], channels_last in memory.
[[nodiscard]] at::Tensor normalise_images(const at::Tensor& images);

}  // namespace tinynas
