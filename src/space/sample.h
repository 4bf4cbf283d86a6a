// Drawing points of a space and varying them. Everything is deterministic by the generator's state.
#pragma once

#include "space/rng.h"
#include "space/space.h"

namespace tinynas {

/// A uniformly random depth per stage, kernel and expansion per block (unused blocks included, so that a later depth
/// mutation finds genes there). Where the space has several formats, half of the points have one everywhere and the others a
/// random one per block.
[[nodiscard]] Arch sample(const SearchSpace& space, std::int32_t resolution, double width, Rng& rng);

/// Every depth, every block and every block's format is drawn anew with probability p; resolution and width too when
/// `elastic`.
[[nodiscard]] Arch mutate(const SearchSpace& space, const Arch& arch, double p, Rng& rng, bool elastic = false);

/// Every gene (depth of a stage, block with its format) from one parent or the other with equal chance. Resolution and width
/// come from `a`, or when `elastic` from either.
[[nodiscard]] Arch crossover(const SearchSpace& space, const Arch& a, const Arch& b, Rng& rng, bool elastic = false);

/// The largest or smallest choice everywhere, the widest or narrowest format.
[[nodiscard]] Arch largest(const SearchSpace& space, std::int32_t resolution, double width);
[[nodiscard]] Arch smallest(const SearchSpace& space, std::int32_t resolution, double width);

}  // namespace tinynas
