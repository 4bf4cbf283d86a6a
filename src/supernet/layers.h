// Elastic layers: full-size weights, of which a subnet uses narrow views (no copies). Channels are sliced from the front.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tinynas {

/// The first `count` entries of a dimension; the tensor itself where that is all of them, which a backward pass likes.
[[nodiscard]] inline at::Tensor leading(const at::Tensor& tensor, std::int64_t dim, std::int64_t count) {
  return tensor.size(dim) == count ? tensor : tensor.narrow(dim, 0, count);
}

/// A trainable tensor of the supernet. `decay`: weight decay applies (not to normalisation and biases).
struct Parameter {
  std::string name;
  at::Tensor value;
  bool decay = true;
};

/// BatchNorm, shared by all subnets. `index` names its entry in BatchNormStats.
struct Norm {
  at::Tensor gamma, beta;  // [C]
  std::size_t index = 0;
};

/// A dense convolution: the stem (k x k) or a pointwise one (k = 1), without bias, followed by BatchNorm.
struct ElasticConv {
  at::Tensor weight;  // [Co, Ci, k, k]
  Norm norm;

  /// View of the first channels.
  [[nodiscard]] at::Tensor view(std::int64_t out, std::int64_t in) const { return leading(leading(weight, 0, out), 1, in); }
};

/// A depthwise convolution whose smaller kernels are the centre of the next larger one, times a learned matrix
/// (Once-for-All, section 3.2; shared by all channels, initialised to identity), or the plain centre crop when `transforms`
/// is empty.
struct ElasticDepthwise {
  std::vector<std::int32_t> kernels;  // ascending
  at::Tensor weight;                  // [C, 1, K, K] with K = kernels.back()
  /// transforms[i]: [k*k, k*k] for k = kernels[i], applied on the way from kernels[i + 1].
  std::vector<at::Tensor> transforms;
  Norm norm;

  /// [channels, 1, k, k]. Differentiable; `kernel` must be one of `kernels`.
  [[nodiscard]] at::Tensor view(std::int64_t channels, std::int32_t kernel) const;
};

/// An inverted bottleneck at its largest.
struct ElasticBottleneck {
  std::string name;  // "first" or "stages.S.blocks.B"
  std::int32_t stride = 1;
  bool has_expand = false;  // some choice of expansion is above 1
  ElasticConv expand;
  ElasticDepthwise depthwise;
  ElasticConv project;
};

}  // namespace tinynas
