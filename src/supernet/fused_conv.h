// Parts that the fused layers share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "supernet/forward.h"
#include "supernet/fused.h"
#include "supernet/norm_values.h"
#include "supernet/pointwise.h"

namespace tinynas {

inline kernels::BlockedShape shape_of(const at::Tensor& map) {
  return {static_cast<int>(map.size(0)), static_cast<int>(map.size(1)), static_cast<int>(map.size(2)),
          static_cast<int>(map.size(3))};
}

inline at::Tensor make_map(std::int64_t channels, std::int64_t pictures, std::int64_t height, std::int64_t width) {
  return at::empty({kernels::blocks_of(static_cast<int>(channels)), pictures, height, width, kernels::kLanes}, at::kFloat);
}

inline kernels::WeightView view_of(const at::Tensor& weight) {
  return {weight.const_data_ptr<float>(), static_cast<std::size_t>(weight.stride(0)),
          static_cast<std::size_t>(weight.stride(1)), static_cast<int>(weight.size(0)), static_cast<int>(weight.size(1))};
}

/// The norm of a layer whose raw output had these sums; records the statistics where they are wanted.
inline NormValues norm_of(const ConvUse& conv, const NormSource& source, const kernels::Sums& sums, std::size_t rows) {
  if (source.given != nullptr) {
    return norm_of_statistics(source.given->mean.at(conv.norm_index), source.given->variance.at(conv.norm_index), conv.gamma,
                              conv.beta);
  }
  NormValues norm = norm_of_batch(sums, rows, conv.gamma, conv.beta);
  if (source.observed != nullptr) {
    const std::int64_t channels = conv.gamma.size(0);
    source.observed->mean[conv.norm_index] = norm.values.select(0, 2).narrow(0, 0, channels).clone();
    source.observed->variance[conv.norm_index] =
        norm.values.select(0, 3).narrow(0, 0, channels).square().reciprocal_().sub_(kNormEpsilon);
  }
  return norm;
}

}  // namespace tinynas
