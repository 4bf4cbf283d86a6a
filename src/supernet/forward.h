// The two ways of computing a subnet's forward pass; Supernet::forward chooses.
#pragma once

#include <ATen/core/Tensor.h>

#include "supernet/supernet.h"

namespace tinynas {

constexpr double kNormEpsilon = 1e-5;

/// With PyTorch's operators, on any device.
[[nodiscard]] at::Tensor forward_plain(const Supernet& net, const at::Tensor& x, const NetworkUse& use,
                                       const ForwardOptions& options);

/// With our own kernels; CPU and float only. With given statistics there is no backward pass.
[[nodiscard]] at::Tensor forward_fused(const Supernet& net, const at::Tensor& image, const NetworkUse& use,
                                       const ForwardOptions& options);

}  // namespace tinynas
