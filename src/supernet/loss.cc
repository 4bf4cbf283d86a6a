#include "supernet/loss.h"

#include <ATen/ATen.h>

#include <cmath>

namespace tinynas {
namespace {

struct Divergence {
  at::Tensor value;     // [N]
  at::Tensor gradient;  // [N, classes]
};

Divergence divergence(const at::Tensor& log_q, const at::Tensor& log_p, double alpha, double clip) {
  const at::Tensor q = log_q.exp();
  // Clipped before the exponential, so that it cannot overflow.
  const at::Tensor ratio = (alpha * (log_p - log_q)).clamp_max(std::log(clip)).exp();
  const at::Tensor weighted = q * ratio;
  Divergence result;
  if (std::abs(alpha - 1.0) < 1e-3) {
    result.value = (log_p.exp() * (log_p - log_q)).sum(1);
  } else {
    result.value = (weighted.sum(1) - 1.0) / (alpha * (alpha - 1.0));
  }
  result.gradient = (q * weighted.sum(1, /*keepdim=*/true) - weighted) / alpha;
  return result;
}

}  // namespace

LossGradient label_loss(const at::Tensor& logits, const at::Tensor& labels, double smoothing) {
  const at::Tensor scores = logits.detach().to(at::kFloat);
  const auto classes = static_cast<double>(scores.size(1));
  const at::Tensor log_q = at::log_softmax(scores, 1);
  at::Tensor target;
  if (labels.dim() == 2) {
    target = labels.to(at::kFloat) * (1.0 - smoothing) + smoothing / classes;
  } else {
    target = at::full_like(scores, smoothing / classes);
    target.scatter_add_(1, labels.unsqueeze(1), at::full_like(scores, 1.0 - smoothing).narrow(1, 0, 1));
  }
  const auto count = static_cast<double>(scores.size(0));
  return {-(target * log_q).sum() / count, (log_q.exp() - target) / count};
}

LossGradient alpha_divergence(const at::Tensor& logits, const at::Tensor& teacher, const DivergenceOptions& options) {
  const at::Tensor log_q = at::log_softmax(logits.detach().to(at::kFloat), 1);
  const at::Tensor log_p = at::log_softmax(teacher.detach().to(at::kFloat), 1);
  const Divergence low = divergence(log_q, log_p, options.alpha_min, options.ratio_clip);
  const Divergence high = divergence(log_q, log_p, options.alpha_max, options.ratio_clip);
  const at::Tensor use_low = low.value > high.value;
  const auto count = static_cast<double>(log_q.size(0));
  return {at::where(use_low, low.value, high.value).mean(),
          at::where(use_low.unsqueeze(1), low.gradient, high.gradient) / count};
}

LossGradient soft_loss(const at::Tensor& logits, const at::Tensor& teacher) {
  const at::Tensor log_q = at::log_softmax(logits.detach().to(at::kFloat), 1);
  const at::Tensor log_p = at::log_softmax(teacher.detach().to(at::kFloat), 1);
  const at::Tensor p = log_p.exp();
  const auto count = static_cast<double>(log_q.size(0));
  return {(p * (log_p - log_q)).sum() / count, (log_q.exp() - p) / count};
}

}  // namespace tinynas
