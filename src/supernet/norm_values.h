// The numbers of one BatchNorm in one pass, as the kernels want them: padded to whole channel blocks.
#pragma once

#include <ATen/core/Tensor.h>

#include "supernet/blocked.h"

namespace tinynas {

/// Rows of `values` [4, padded]: scale, shift, mean, 1 / deviation.
struct NormValues {
  at::Tensor values;

  [[nodiscard]] const float* row(int i) const { return values.const_data_ptr<float>() + i * values.size(1); }
  [[nodiscard]] kernels::Affine affine(bool clamp) const { return {row(0), row(1), clamp}; }
  [[nodiscard]] const float* mean() const { return row(2); }
};

/// From the sums and squares of `rows` values per channel.
[[nodiscard]] NormValues norm_of_batch(const kernels::Sums& sums, std::size_t rows, const at::Tensor& gamma,
                                       const at::Tensor& beta);
[[nodiscard]] NormValues norm_of_statistics(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& gamma,
                                            const at::Tensor& beta);

/// The backward pass through batch statistics, from the sums of g and of g * (y - mean).
struct NormBackward {
  at::Tensor coefficients;  // [3, padded], see kernels::NormGradient
  at::Tensor gamma, beta;   // gradients, [channels]

  [[nodiscard]] kernels::NormGradient gradient() const {
    const float* data = coefficients.const_data_ptr<float>();
    const auto padded = coefficients.size(1);
    return {data, data + padded, data + 2 * padded};
  }
};

[[nodiscard]] NormBackward norm_backward(const kernels::Sums& sums, std::size_t rows, const NormValues& norm,
                                         std::int64_t channels);

}  // namespace tinynas
