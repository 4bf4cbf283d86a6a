#include "supernet/train_step.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "graph/error.h"
#include "space/rng.h"
#include "space/sample.h"

namespace tinynas {
namespace {

/// Autocast to bfloat16 on CUDA while it lives.
class MixedPrecision {
 public:
  explicit MixedPrecision(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCUDA, true);
  }
  ~MixedPrecision() {
    if (!on_) return;
    at::autocast::set_autocast_enabled(at::kCUDA, false);
    at::autocast::clear_cache();
  }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  bool on_;
};

template <typename T>
T pick(const std::vector<T>& choices, Rng& rng) {
  return choices[rng.below(static_cast<std::uint32_t>(choices.size()))];
}

}  // namespace

std::vector<Arch> sandwich_archs(const SearchSpace& space, const Subspace& subspace, std::int32_t random,
                                 const std::array<std::uint64_t, 3>& seed_epoch_step) {
  const auto& [seed, epoch, step] = seed_epoch_step;
  Rng rng(seed, (epoch << 32) + step);
  const std::int32_t resolution = subspace.resolution ? *subspace.resolution : pick(space.resolutions, rng);
  const auto width = [&](double otherwise) { return subspace.width.value_or(otherwise); };
  std::vector<Arch> archs = {largest(space, resolution, width(space.widths.back())),
                             smallest(space, resolution, width(space.widths.front()))};
  for (std::int32_t i = 0; i < random; ++i) {
    const double drawn = subspace.width ? *subspace.width : pick(space.widths, rng);
    archs.push_back(sample(space, resolution, drawn, rng));
  }
  return archs;
}

at::Tensor normalise_images(const at::Tensor& images) {
  if (images.dim() != 4 || images.scalar_type() != at::kByte) {
    throw InputError("[supernet] images: expected uint8 [N, R, R, C], got " + std::string(images.toString()) + " of rank " +
                     std::to_string(images.dim()));
  }
  return images.contiguous().permute({0, 3, 1, 2}).to(at::kFloat).sub_(128.0).mul_(1.0 / 128.0);
}

TrainStep::TrainStep(std::shared_ptr<Supernet> net, const TrainOptions& options) : net_(std::move(net)), options_(options) {
  const c10::NoGradGuard no_grad;
  for (const Parameter& parameter : net_->parameters()) {
    momentum_.push_back(at::zeros_like(parameter.value));
    // From the start, so that a resumed run treats a layer that no subnet has used yet as an undisturbed one does.
    at::Tensor(parameter.value).mutable_grad() = at::zeros_like(parameter.value);
    if (options_.ema_decay > 0) average_.push_back(parameter.value.detach().clone());
  }
}

at::Tensor TrainStep::accumulate_there(const at::Tensor& images, const at::Tensor& labels, const std::vector<Arch>& archs,
                                       const at::Tensor& teacher) {
  if (archs.empty()) throw InputError("[train_step] archs: expected at least one, got none");
  const at::Tensor x = normalise_images(images);
  at::Tensor soft = teacher;
  at::Tensor first, correct;
  at::Tensor others = at::zeros({}, x.options());
  for (std::size_t i = 0; i < archs.size(); ++i) {
    at::Tensor logits;
    {
      const MixedPrecision mixed(options_.mixed_precision && x.is_cuda());
      logits = net_->forward(x, archs[i], {.fused = options_.fused});
    }
    LossGradient loss = label_loss(logits, labels, options_.label_smoothing);
    if (i == 0) {
      first = loss.loss;
      correct = logits.argmax(1).eq(labels.dim() == 2 ? labels.argmax(1) : labels).sum();
    }
    if (soft.defined() && options_.distillation != Distillation::none) {
      const LossGradient distilled = options_.distillation == Distillation::alpha
                                         ? alpha_divergence(logits, soft, options_.divergence)
                                         : soft_loss(logits, soft);
      const double share = options_.label_share;
      loss = {distilled.loss * (1.0 - share) + loss.loss * share,
              distilled.gradient * (1.0 - share) + loss.gradient * share};
    }
    if (i > 0) others += loss.loss;
    logits.backward(loss.gradient.to(logits.scalar_type()));
    if (i == 0 && !soft.defined()) soft = logits.detach();
  }
  const double count = std::max<double>(1.0, static_cast<double>(archs.size()) - 1.0);
  return at::stack({first.to(at::kDouble), others.to(at::kDouble) / count, correct.to(at::kDouble)});
}

StepLosses TrainStep::accumulate(const at::Tensor& images, const at::Tensor& labels, const std::vector<Arch>& archs,
                                 const at::Tensor& teacher) {
  // Read together and at the end: every read waits for the device.
  const at::Tensor values = accumulate_there(images, labels, archs, teacher).cpu();
  const double* value = values.const_data_ptr<double>();
  return {value[0], value[1], static_cast<std::int64_t>(value[2])};
}

void clear_gradients(const std::vector<Parameter>& parameters) {
  std::vector<at::Tensor> gradients;
  for (const Parameter& parameter : parameters) {
    if (parameter.value.grad().defined()) gradients.push_back(parameter.value.grad());
  }
  if (!gradients.empty()) at::_foreach_zero_(gradients);
}

at::Tensor sgd_step(const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& momentum,
                    const TrainOptions& options, const at::Tensor& learning_rate) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> values, gradients, velocities, decayed, their_gradients;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& value = parameters[i].value;
    if (!value.grad().defined()) continue;
    values.push_back(value);
    gradients.push_back(value.grad());
    velocities.push_back(momentum[i]);
    if (!parameters[i].decay) continue;
    decayed.push_back(value);
    their_gradients.push_back(value.grad());
  }
  if (values.empty()) return at::zeros_like(learning_rate);
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients)).norm();
  if (options.clip_norm > 0) at::_foreach_mul_(gradients, (options.clip_norm / norm).clamp_max(1.0));
  if (!decayed.empty()) at::_foreach_add_(their_gradients, decayed, options.weight_decay);
  at::_foreach_mul_(velocities, options.momentum);
  at::_foreach_add_(velocities, gradients);
  at::_foreach_add_(gradients, velocities, options.momentum);
  at::_foreach_mul_(gradients, learning_rate);
  at::_foreach_sub_(values, gradients);
  return norm;
}

double sgd_step(const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& momentum,
                const TrainOptions& options, double learning_rate) {
  if (parameters.empty()) return 0;
  return sgd_step(parameters, momentum, options, at::full({}, learning_rate, parameters.front().value.options()))
      .item<double>();
}

at::Tensor TrainStep::apply_there(const at::Tensor& learning_rate) {
  const at::Tensor norm = sgd_step(net_->parameters(), momentum_, options_, learning_rate);
  const c10::NoGradGuard no_grad;
  if (!average_.empty()) at::_foreach_lerp_(average_, values(), 1.0 - options_.ema_decay);
  return norm;
}

double TrainStep::apply(double learning_rate) {
  const at::Tensor& like = net_->parameters().front().value;
  return apply_there(at::full({}, learning_rate, like.options())).item<double>();
}

std::vector<at::Tensor> TrainStep::values() const {
  std::vector<at::Tensor> result;
  for (const Parameter& parameter : net_->parameters()) result.push_back(parameter.value);
  return result;
}

void TrainStep::sort_channels(SortedChannels which) {
  const std::vector<Reorder> orders = importance_order(*net_, which);
  reorder(values(), orders);
  reorder(momentum_, orders);
  if (!average_.empty()) reorder(average_, orders);
}

void TrainStep::restart() {
  const c10::NoGradGuard no_grad;
  const std::vector<at::Tensor> now = values();
  for (const at::Tensor& momentum : momentum_) momentum.zero_();
  for (std::size_t i = 0; i < average_.size(); ++i) average_[i].copy_(now[i]);
}

}  // namespace tinynas
