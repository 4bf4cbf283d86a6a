#include "supernet/layers.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "graph/error.h"

namespace tinynas {

at::Tensor ElasticDepthwise::view(std::int64_t channels, std::int32_t kernel) const {
  if (std::find(kernels.begin(), kernels.end(), kernel) == kernels.end()) {
    throw InputError("[supernet] depthwise kernel: expected one of the space's kernels, got " + std::to_string(kernel));
  }
  at::Tensor result = leading(weight, 0, channels);
  for (std::size_t i = kernels.size() - 1; i-- > 0 && kernels[i] >= kernel;) {
    const std::int64_t k = kernels[i];
    const std::int64_t border = (kernels[i + 1] - k) / 2;
    result = result.narrow(2, border, k).narrow(3, border, k);
    if (!transforms.empty()) {
      result = at::matmul(result.reshape({channels, k * k}), transforms[i].t()).view({channels, 1, k, k});
    }
  }
  return result;
}

}  // namespace tinynas
