// The two ways of computing a subnet's forward pass; Supernet::forward chooses.
#pragma once

#include <ATen/core/Tensor.h>

#include "supernet/fused.h"
#include "supernet/supernet.h"

namespace tinynas {

constexpr double kNormEpsilon = 1e-5;

/// With PyTorch's operators, on any device.
[[nodiscard]] at::Tensor forward_plain(const Supernet& net, const at::Tensor& x, const NetworkUse& use,
                                       const ForwardOptions& options);

/// With our own kernels; CPU and float only. With given statistics there is no backward pass.
[[nodiscard]] at::Tensor forward_fused(const Supernet& net, const at::Tensor& image, const NetworkUse& use,
                                       const ForwardOptions& options);

/// The parts of forward_fused, in this order, over blocked maps: the stem, one block, the feature mix (where the arch has
/// one), and pool with classifier.
[[nodiscard]] at::Tensor fused_first(const Supernet& net, const at::Tensor& image, const NetworkUse& use,
                                     const NormSource& source);
[[nodiscard]] at::Tensor fused_block(const at::Tensor& x, const BlockUse& part, const NormSource& source);
[[nodiscard]] at::Tensor fused_mix(const Supernet& net, const at::Tensor& x, const NetworkUse& use,
                                   const NormSource& source);
[[nodiscard]] at::Tensor classify(const Supernet& net, const at::Tensor& x, const NetworkUse& use);

}  // namespace tinynas
