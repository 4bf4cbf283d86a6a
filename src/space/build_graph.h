// A point of a space as a graph that describes sizes only (int8, constants without data), and as absolute channel counts.
//
// Names are stable: who fills in weights finds its constants by them.
//   operators   stem; first.{expand,depthwise,project,add}; stages.S.blocks.B.{expand,depthwise,project,add}; feature_mix;
//   pool;
//               classifier. S and B count from 0. `expand` is absent when the expansion is 1, `add` where there is no
//               residual, `feature_mix` when the space has none.
//   tensors     image; <operator>.weight (conv OHWI, depthwise 1HWC, fully connected OI); <operator>.bias (s32);
//               <operator>.output.
// Stem, expand, depthwise and feature_mix end in ReLU6; project and classifier are linear. A residual stands where the
// stride is 1 and input and output have equally many channels. Padding is kernel / 2 on all four sides, with output rows (H
// + 2 * (kernel / 2) - kernel) / stride + 1: PyTorch's padding=k//2, so stride 2 halves rounding up. (On even maps the
// padding's last row below is then never read.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "space/space.h"

namespace tinynas {

/// `value` rounded to a multiple of `divisor`, at least one divisor, and never below 90 % of `value`.
/// (MobileNet's rule; ties round up.)
[[nodiscard]] std::int32_t make_divisible(double value, std::int32_t divisor);

/// Absolute output channels of what stands before, at, or after the stages, under the width multiplier.
[[nodiscard]] std::int32_t scaled_channels(const SearchSpace& space, std::int32_t channels, double width);

/// Mid channels of a bottleneck whose input has `in` channels.
[[nodiscard]] std::int32_t mid_channels(const SearchSpace& space, std::int32_t in, std::int32_t expansion);

/// Index of stage s's first entry in Arch::blocks.
[[nodiscard]] std::int32_t first_block_of(const SearchSpace& space, std::int32_t stage);

class NetworkBuilder;

/// Where a block stands: its stride and absolute output channels.
struct BlockPlace {
  std::int32_t stride = 1, out = 0;
};

/// One inverted bottleneck of the space behind the network's current map.
void append_block(NetworkBuilder& net, const SearchSpace& space, const std::string& prefix, const BlockChoice& choice,
                  BlockPlace place);

/// What follows the stages: feature mix, pool, classifier.
void append_head(NetworkBuilder& net, const SearchSpace& space, double width);

/// Parts of a network that have a format: the first block, the blocks, the feature mix.
[[nodiscard]] inline std::size_t unit_count(const Arch& arch) { return arch.blocks.size() + 2; }
/// Of unit 0 (the first block), 1 + i (`blocks[i]`) or unit_count() - 1 (the feature mix).
[[nodiscard]] Format format_of(const Arch& arch, std::size_t unit);
/// The formats of build_graph()'s operators: stem and classifier have w8a8, the others those of their units.
[[nodiscard]] std::vector<Format> operator_formats(const SearchSpace& space, const Arch& arch);

/// The network of `arch`, in its formats. Both must have been validated (validate.h); about 20 microseconds.
[[nodiscard]] Graph build_graph(const SearchSpace& space, const Arch& arch);

}  // namespace tinynas
