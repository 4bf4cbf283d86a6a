// Differentiable layers on the CPU over blocked maps [channel blocks, N, H, W, 16] (blocked.h): convolution, BatchNorm and
// ReLU6 fused, each with its own backward pass. The numbers are those of forward_plain up to rounding.
#pragma once

#include <ATen/core/Tensor.h>

#include "supernet/supernet.h"

namespace tinynas {

/// Where the statistics of the norms in a layer come from and go to.
struct NormSource {
  const BatchNormStats* given = nullptr;
  BatchNormStats* observed = nullptr;
};

/// A convolution's weight and its norm, cut to an arch (views).
struct ConvUse {
  at::Tensor weight, gamma, beta;
  std::size_t norm_index = 0;
};

/// ReLU6(BatchNorm(convolution of the image)): image float [N, C, H, W], channels_last.
[[nodiscard]] at::Tensor fused_stem(const at::Tensor& image, const ConvUse& conv, int stride, const NormSource& source);

/// ReLU6(BatchNorm(pointwise convolution)).
[[nodiscard]] at::Tensor fused_pointwise(const at::Tensor& x, const ConvUse& conv, const NormSource& source);

/// An inverted bottleneck; `expand.weight` undefined: none.
struct BottleneckUse {
  ConvUse expand, depthwise, project;
  int stride = 1;
  bool residual = false;
};
[[nodiscard]] at::Tensor fused_bottleneck(const at::Tensor& x, const BottleneckUse& use, const NormSource& source);

}  // namespace tinynas
