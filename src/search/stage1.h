// Stage 1 of TinyNAS (Lin et al., 2020, section 3.1): which (resolution, width) subspace of a space suits a budget. Random
// networks of every subspace are scored by the oracle; the more work the fitting ones can do, the better the subspace.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "search/limits.h"

namespace tinynas {

struct Stage1Options {
  std::int32_t samples = 1000;  // per subspace
  std::uint64_t seed = 0;
  int threads = 0;  // below 1: all
  /// A subspace counts when at least this share and this number of its samples fit.
  double min_share = 0.01;
  std::int32_t min_count = 10;
  /// Called with (subspaces done, of) from any thread, one call at a time; false stops the work (an InputError follows).
  std::function<bool(std::size_t, std::size_t)> progress;
};

struct Subspace {
  std::int32_t resolution = 0;
  double width = 0;
  std::int32_t samples = 0, satisfying = 0;
  /// FLOPs (multiply-accumulates) of the samples that fit: ascending, their mean, and the value that 80 % do not exceed; 0
  /// where none fits.
  std::vector<std::int64_t> flops;
  double mean_flops = 0;
  std::int64_t p80_flops = 0;
  std::int64_t min_sram_bytes = 0, min_flash_bytes = 0;  // over all samples, without overhead
};

struct Stage1Result {
  std::vector<Subspace> subspaces;    // resolutions ascending, for each the widths ascending
  std::optional<std::size_t> winner;  // index into subspaces; none: nothing counts
};

/// Schedules with a ScoreTable are scored by it: for `streaming` a sample then fits when its best partition does
/// (not with a limit of latency, which tables only estimate).
/// Deterministic by (space, seed, samples); the number of threads does not matter. Throws InputError for bad options or
/// limits.
[[nodiscard]] Stage1Result stage1(const SearchSpace& space, const Oracle& oracle, const Limits& limits,
                                  const Stage1Options& options);

}  // namespace tinynas
