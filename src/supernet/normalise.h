// BatchNorm over blocked maps: what does not happen on the way through a convolution.
#pragma once

#include "supernet/blocked.h"

namespace tinynas::kernels {

/// out = affine(y), through ReLU6 when `affine.clamp`, plus `added` (may be null).
void apply_affine(const BlockedShape& shape, const float* y, const Affine& affine, const float* added, float* out,
                  int threads);

/// Sum of g and of g * (y - mean) per channel. With a clamped affine g is first multiplied by ReLU6's derivative and written
/// to `masked` (else unused).
void normal_gradient_sums(const BlockedShape& shape, const float* g, const float* y, const float* mean, const Affine& affine,
                          float* masked, Sums& sums, int threads);

}  // namespace tinynas::kernels
