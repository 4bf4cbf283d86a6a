#include "supernet/norm_values.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "supernet/forward.h"

namespace tinynas {
namespace {

at::Tensor padded_rows(std::int64_t rows, std::int64_t channels) {
  const std::int64_t padded = kernels::blocks_of(static_cast<int>(channels)) * kernels::kLanes;
  return at::zeros({rows, padded}, at::kFloat);
}

void set_channel(const at::Tensor& values, std::int64_t c, double mean, double variance, float gamma, float beta) {
  float* data = values.mutable_data_ptr<float>() + c;
  const std::int64_t padded = values.size(1);
  const double inverse = 1.0 / std::sqrt(std::max(variance, 0.0) + kNormEpsilon);
  data[0] = static_cast<float>(gamma * inverse);
  data[padded] = static_cast<float>(beta - mean * gamma * inverse);
  data[2 * padded] = static_cast<float>(mean);
  data[3 * padded] = static_cast<float>(inverse);
}

}  // namespace

NormValues norm_of_batch(const kernels::Sums& sums, std::size_t rows, const at::Tensor& gamma, const at::Tensor& beta) {
  const std::int64_t channels = gamma.size(0);
  NormValues norm{padded_rows(4, channels)};
  const auto count = static_cast<double>(rows);
  for (std::int64_t c = 0; c < channels; ++c) {
    const double mean = sums[c] / count;
    const double variance = sums[norm.values.size(1) + c] / count - mean * mean;
    set_channel(norm.values, c, mean, variance, gamma.const_data_ptr<float>()[c], beta.const_data_ptr<float>()[c]);
  }
  return norm;
}

NormValues norm_of_statistics(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& gamma,
                              const at::Tensor& beta) {
  const std::int64_t channels = gamma.size(0);
  NormValues norm{padded_rows(4, channels)};
  for (std::int64_t c = 0; c < channels; ++c) {
    set_channel(norm.values, c, mean.const_data_ptr<float>()[c], variance.const_data_ptr<float>()[c],
                gamma.const_data_ptr<float>()[c], beta.const_data_ptr<float>()[c]);
  }
  return norm;
}

NormBackward norm_backward(const kernels::Sums& sums, std::size_t rows, const NormValues& norm, std::int64_t channels) {
  NormBackward result{padded_rows(3, channels), at::empty({channels}, at::kFloat), at::empty({channels}, at::kFloat)};
  const std::int64_t padded = norm.values.size(1);
  float* coefficients = result.coefficients.mutable_data_ptr<float>();
  const auto count = static_cast<double>(rows);
  for (std::int64_t c = 0; c < channels; ++c) {
    const double scale = norm.row(0)[c], mean = norm.row(2)[c], inverse = norm.row(3)[c];
    const double beta = sums[c], gamma = sums[padded + c] * inverse;
    const double of_value = -scale * inverse * gamma / count;
    coefficients[c] = static_cast<float>(scale);
    coefficients[padded + c] = static_cast<float>(of_value);
    coefficients[2 * padded + c] = static_cast<float>(-scale * beta / count - of_value * mean);
    result.gamma.mutable_data_ptr<float>()[c] = static_cast<float>(gamma);
    result.beta.mutable_data_ptr<float>()[c] = static_cast<float>(beta);
  }
  return result;
}

}  // namespace tinynas
