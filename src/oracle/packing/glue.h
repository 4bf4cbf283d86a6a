// Buffers that look like pieces of one: a guess that makes a packing problem smaller.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "oracle/packing/planner.h"

namespace tinynas::packing {

/// Items that stand for groups of the original ones. Every packing of them is one of the originals; the reverse need not
/// hold.
struct Glued {
  struct Part {
    std::int32_t item = 0;    // index of an original item
    std::int64_t offset = 0;  // from its group's
  };
  std::vector<PackItem> items;
  std::vector<std::vector<Part>> parts;  // parallel
};

struct GlueOptions {
  std::int64_t guesses = 0;    // pairs stacked without evidence
  std::int32_t tolerance = 0;  // steps by which lifetimes that should meet, or be equal, may differ
};

/// Joins what follows in time and has the same size, and stacks what lives equally long when a neighbour in time has the
/// size of the sum; then some more pairs that live equally long. Sizes must be multiples of the alignment.
[[nodiscard]] Glued glue(std::span<const PackItem> items, const GlueOptions& options, std::mt19937_64& random);

}  // namespace tinynas::packing
