#include "search/stage1.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>
#include <string>

#include "graph/error.h"
#include "search/parallel.h"
#include "search/score_table.h"
#include "space/sample.h"
#include "space/validate.h"

namespace tinynas {
namespace {

void check(const Stage1Options& options) {
  if (options.samples < 1 || options.samples > 10'000'000) {
    throw InputError("[stage1] samples: expected 1 to 10,000,000, got " + std::to_string(options.samples));
  }
}

void summarise(Subspace& part) {
  std::sort(part.flops.begin(), part.flops.end());
  part.satisfying = static_cast<std::int32_t>(part.flops.size());
  if (part.flops.empty()) return;
  part.mean_flops = std::accumulate(part.flops.begin(), part.flops.end(), 0.0) / static_cast<double>(part.flops.size());
  const std::size_t rank = (part.flops.size() * 4 + 4) / 5;  // nearest rank: the smallest value with 80 % at or below it
  part.p80_flops = part.flops[rank - 1];
}

/// What the samples are scored by: the oracle, or its table where there is one.
struct Scoring {
  const SearchSpace& space;
  const Oracle& oracle;
  std::unique_ptr<ScoreTable> table;

  [[nodiscard]] Score score(const Arch& arch) const { return table ? table->score(arch) : score_of(space, oracle, arch); }
};

void sample_subspace(const Scoring& scoring, const Limits& limits, Rng rng, Subspace& part) {
  part.min_sram_bytes = part.min_flash_bytes = std::numeric_limits<std::int64_t>::max();
  for (std::int32_t i = 0; i < part.samples; ++i) {
    const Score score = scoring.score(sample(scoring.space, part.resolution, part.width, rng));
    part.min_sram_bytes = std::min(part.min_sram_bytes, score.sram_bytes);
    part.min_flash_bytes = std::min(part.min_flash_bytes, score.flash_bytes);
    if (fits(score, limits)) part.flops.push_back(score.macs);
  }
  summarise(part);
}

std::optional<std::size_t> choose(const std::vector<Subspace>& subspaces, const Stage1Options& options) {
  std::optional<std::size_t> winner;
  for (std::size_t i = 0; i < subspaces.size(); ++i) {
    const Subspace& part = subspaces[i];
    if (part.satisfying == 0 || part.satisfying < options.min_count || part.satisfying < options.min_share * part.samples) {
      continue;
    }
    if (!winner || part.mean_flops > subspaces[*winner].mean_flops) winner = i;
  }
  return winner;
}

}  // namespace

Stage1Result stage1(const SearchSpace& space, const Oracle& oracle, const Limits& limits, const Stage1Options& options) {
  validate(space);
  validate(limits);
  check(options);
  Stage1Result result;
  for (const auto resolution : space.resolutions) {
    for (const auto width : space.widths) {
      Subspace& part = result.subspaces.emplace_back();
      part.resolution = resolution;
      part.width = width;
      part.samples = options.samples;
    }
  }
  Scoring scoring{space, oracle, ScoreTable::make(space, oracle)};
  if (scoring.table && limits.latency_us && !scoring.table->exact()) scoring.table = nullptr;
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(result.subspaces.size(), options.threads, [&](std::size_t i) {
    sample_subspace(scoring, limits, Rng(options.seed, i), result.subspaces[i]);
    const std::lock_guard lock(mutex);
    ++done;
    if (options.progress && !options.progress(done, result.subspaces.size())) throw InputError("[stage1] stopped");
  });
  result.winner = choose(result.subspaces, options);
  return result;
}

}  // namespace tinynas
