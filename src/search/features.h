// A point of a space as the numbers that the accuracy predictor reads (Cai et al., Once-for-All, 2020, appendix A).
#pragma once

#include <span>
#include <vector>

#include "space/space.h"

namespace tinynas {

/// Per block one-hot kernel and one-hot expansion over its stage's choices, all zero where the block is skipped; then the
/// resolution and the width, each scaled to 0..1 over the space's choices (0 where there is one choice only).
/// Where the space has several formats, also per unit (first block, blocks, feature mix) whether its weights and whether its
/// inputs have 4 bits.
[[nodiscard]] std::size_t feature_count(const SearchSpace& space);
/// InputError when `arch` holds what the space does not list.
[[nodiscard]] std::vector<float> features(const SearchSpace& space, const Arch& arch);

}  // namespace tinynas
