// The search space of once-for-all inverted-bottleneck networks, as data, and a point in it (Lin et al., MCUNet, 2020,
// section 3.1; Cai et al., Once-for-All, 2020).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/formats.h"

namespace tinynas {

/// A stage: `max(depths)` inverted bottlenecks with one output width; the first has the stage's stride.
struct Stage {
  std::int32_t channels = 0;  // before the width multiplier
  std::int32_t stride = 1;
  std::vector<std::int32_t> depths;      // ascending
  std::vector<std::int32_t> kernels;     // ascending, odd
  std::vector<std::int32_t> expansions;  // ascending
};

struct Stem {
  std::int32_t channels = 0, kernel = 3, stride = 2;
};

/// The block after the stem: depthwise + pointwise when expansion is 1 (no expand convolution).
struct FirstBlock {
  std::int32_t channels = 0, kernel = 3, expansion = 1, stride = 1;
};

struct SearchSpace {
  std::string name;
  std::int32_t input_channels = 3;
  std::int32_t classes = 1000;
  std::int32_t divisor = 8;               // channels are rounded to multiples of it, never below 90 % (make_divisible)
  std::vector<std::int32_t> resolutions;  // ascending
  std::vector<double> widths;             // width multipliers, ascending
  Stem stem;
  FirstBlock first_block;
  std::vector<Stage> stages;
  std::int32_t feature_mix = 0;                  // channels of a 1x1 convolution before the pool; 0: none
  std::vector<Format> formats = {Format::w8a8};  // of a block's layers, in the order of the enumeration: widest first
};

/// Choices of one inverted bottleneck.
struct BlockChoice {
  std::int32_t kernel = 3, expansion = 1;
  bool operator==(const BlockChoice&) const = default;
};

/// A point of a space. `blocks` has max(depths) entries per stage, stage after stage; those past `depths[s]` are not used.
struct Arch {
  std::int32_t resolution = 0;
  double width = 1.0;
  std::vector<std::int32_t> depths;
  std::vector<BlockChoice> blocks;
  /// Of the first block, of every entry of `blocks`, and of the feature mix (there or not); empty: w8a8 everywhere.
  std::vector<Format> formats = {};
  bool operator==(const Arch&) const = default;
};

}  // namespace tinynas
