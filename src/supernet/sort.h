// Channels sorted by importance, so that the slices which small subnets take hold the channels that matter (Cai et al.,
// Once-for-All, 2020, section 3.3). What the largest network computes does not change.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "supernet/supernet.h"

namespace tinynas {

enum class SortedChannels : std::uint8_t {
  mid,  // of every bottleneck: what elastic expansion slices
  all   // also those between bottlenecks, stem and head included: what elastic width slices
};

/// One dimension of one parameter to be reordered: entry i becomes what stood at order[i].
struct Reorder {
  std::size_t parameter = 0;  // index into Supernet::parameters()
  std::int64_t dim = 0;
  at::Tensor order;  // int64
};

/// The importance of a channel is the L1 norm of the weights that read it: for a mid channel those of the project
/// convolution. Channels that residual additions tie together (a stage, or several) share one order, by the sum over all
/// convolutions that read them. Mid channels of a block without expand convolution follow the channels that it reads.
[[nodiscard]] std::vector<Reorder> importance_order(const Supernet& net, SortedChannels which);

/// Reorders tensors that correspond to the parameters: these themselves, momentum, averages. In place.
void reorder(const std::vector<at::Tensor>& values, const std::vector<Reorder>& orders);

}  // namespace tinynas
