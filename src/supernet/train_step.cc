#include "supernet/train_step.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

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

void TrainStep::clear_gradients() {
  for (const Parameter& parameter : net_->parameters()) {
    if (parameter.value.grad().defined()) parameter.value.mutable_grad().zero_();
  }
}

StepLosses TrainStep::accumulate(const at::Tensor& images, const at::Tensor& labels, const std::vector<Arch>& archs,
                                 const at::Tensor& teacher) {
  if (archs.empty()) throw InputError("[train_step] archs: expected at least one, got none");
  const at::Tensor x = normalise_images(images);
  at::Tensor soft = teacher;
  StepLosses losses;
  at::Tensor others = at::zeros({}, x.options());
  for (std::size_t i = 0; i < archs.size(); ++i) {
    at::Tensor logits;
    {
      const MixedPrecision mixed(options_.mixed_precision && x.is_cuda());
      logits = net_->forward(x, archs[i], {.fused = options_.fused});
    }
    LossGradient loss = label_loss(logits, labels, options_.label_smoothing);
    if (i == 0) {
      losses.first = loss.loss.item<double>();
      losses.correct = logits.argmax(1).eq(labels).sum().item<std::int64_t>();
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
  if (archs.size() > 1) losses.others = others.item<double>() / static_cast<double>(archs.size() - 1);
  return losses;
}

double sgd_step(const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& momentum,
                const TrainOptions& options, double learning_rate) {
  const c10::NoGradGuard no_grad;
  double square = 0;
  for (const Parameter& parameter : parameters) {
    const at::Tensor& gradient = parameter.value.grad();
    if (gradient.defined()) square += gradient.square().sum().item<double>();
  }
  const double norm = std::sqrt(square);
  const double scale = options.clip_norm > 0 && norm > options.clip_norm ? options.clip_norm / norm : 1.0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor value = parameters[i].value, velocity = momentum[i];
    at::Tensor gradient = value.grad();
    if (!gradient.defined()) continue;
    gradient.mul_(scale);
    if (parameters[i].decay) gradient.add_(value, options.weight_decay);
    velocity.mul_(options.momentum).add_(gradient);
    value.sub_(gradient.add(velocity, options.momentum), learning_rate);
  }
  return norm;
}

double TrainStep::apply(double learning_rate) {
  const double norm = sgd_step(net_->parameters(), momentum_, options_, learning_rate);
  const c10::NoGradGuard no_grad;
  for (std::size_t i = 0; i < average_.size(); ++i) {
    const at::Tensor& value = net_->parameters()[i].value;
    if (value.grad().defined()) average_[i].lerp_(value, 1.0 - options_.ema_decay);
  }
  return norm;
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
