// Losses with their gradients by the logits, in closed form: what the training step feeds into backward().
#pragma once

#include <ATen/core/Tensor.h>

namespace tinynas {

/// Mean loss over a batch and its gradient by the logits [N, classes].
struct LossGradient {
  at::Tensor loss;      // scalar
  at::Tensor gradient;  // [N, classes], already divided by N
};

/// Cross entropy against labels, int64 [N] or each class's share as float [N, classes], smoothed:
/// target = (1 - smoothing) * share + smoothing / classes.
[[nodiscard]] LossGradient label_loss(const at::Tensor& logits, const at::Tensor& labels, double smoothing);

struct DivergenceOptions {
  double alpha_min = -1.0, alpha_max = 1.0;
  double ratio_clip = 5.0;  // upper bound of (p / q)^alpha
};

/// Adaptive alpha-divergence of a student's distribution q from a teacher's p = softmax(teacher) (Wang et al., AlphaNet,
/// 2021, equations 4 to 7): per picture the larger of D_alpha_min and D_alpha_max,
///   D_alpha = 1 / (alpha (alpha - 1)) * sum_i q_i ((p_i / q_i)^alpha - 1),   D_1 = KL(p || q),
/// with the gradient  -1 / alpha * sum_i q_i min((p_i / q_i)^alpha, clip) d log q_i.
[[nodiscard]] LossGradient alpha_divergence(const at::Tensor& logits, const at::Tensor& teacher,
                                            const DivergenceOptions& options);

/// KL(softmax(teacher) || softmax(logits)), the soft cross entropy of plain distillation up to a constant.
[[nodiscard]] LossGradient soft_loss(const at::Tensor& logits, const at::Tensor& teacher);

}  // namespace tinynas
