// Checks of spaces and points that come from outside. All throw InputError naming the place, what was expected and what
// came.
#pragma once

#include "space/space.h"

namespace tinynas {

/// Largest sizes accepted (channels after the width multiplier): they keep a network's MACs within 64 bits.
inline constexpr std::int32_t kMaxChannels = 8192, kMaxResolution = 1024, kMaxKernel = 31, kMaxDepth = 64;
inline constexpr std::int32_t kMaxExpansion = 16, kMaxClasses = 1 << 20;

/// Positive sizes, ascending lists without duplicates, odd kernels, and the strides leave at least one pixel.
void validate(const SearchSpace& space);

/// `arch` has this space's shape. Choices need not be in the space's lists (a published network may use another expansion),
/// but must be positive, kernels odd, and depths at most the space's largest.
void validate(const SearchSpace& space, const Arch& arch);

/// True when every choice of `arch` is one of the space's.
[[nodiscard]] bool contains(const SearchSpace& space, const Arch& arch);

}  // namespace tinynas
