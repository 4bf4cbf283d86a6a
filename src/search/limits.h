// What a network may cost, and what it does cost, reduced to the figures that a search compares.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "oracle/oracle.h"
#include "space/space.h"

namespace tinynas {

/// Upper bounds, inclusive; absent: no limit. `overhead` is what the platform and the engine take of SRAM and Flash.
struct Limits {
  std::optional<std::int64_t> sram_bytes, flash_bytes, macs;
  std::optional<double> latency_us;
  Overhead overhead;
};

/// Without the platform's overhead.
struct Score {
  std::int64_t sram_bytes = 0, flash_bytes = 0, macs = 0;
  double latency_us = 0;
  bool operator==(const Score&) const = default;
};

/// Throws InputError when a limit is not positive, or an overhead negative.
void validate(const Limits& limits);

[[nodiscard]] bool fits(const Score& score, const Limits& limits);

/// How far the worst figure is over its limit: max of (figure / limit), at most 1 when everything fits; 0 without limits.
[[nodiscard]] double excess(const Score& score, const Limits& limits);

[[nodiscard]] Score score_of(const SearchSpace& space, const Oracle& oracle, const Arch& arch);

/// The batch interface: scores in the order of `archs`, on `threads` threads (below 1: all).
[[nodiscard]] std::vector<Score> score_all(const SearchSpace& space, const Oracle& oracle, std::span<const Arch> archs,
                                           int threads = 0);

/// A network and its score.
struct Footprint {
  Arch arch;
  Score score;
};

/// The smallest networks of a space: over its resolutions and widths, with the smallest choice of everything.
struct SmallestFootprint {
  Footprint least_sram, least_flash, least_macs;
  Footprint closest;  // least excess over the limits
};
[[nodiscard]] SmallestFootprint smallest_footprint(const SearchSpace& space, const Oracle& oracle, const Limits& limits);

}  // namespace tinynas
