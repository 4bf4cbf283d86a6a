#include "search/limits.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "graph/error.h"
#include "search/parallel.h"
#include "search/score_table.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "space/validate.h"

namespace tinynas {
namespace {

template <typename T>
void check_positive(const char* name, const std::optional<T>& limit) {
  if (limit && !(*limit > 0)) {
    throw InputError("[limits] " + std::string(name) + ": expected a positive limit, got " + std::to_string(*limit));
  }
}

template <typename T>
double share(T value, const std::optional<T>& limit) {
  return limit ? static_cast<double>(value) / static_cast<double>(*limit) : 0.0;
}

}  // namespace

void validate(const Limits& limits) {
  check_positive("sram_bytes", limits.sram_bytes);
  check_positive("flash_bytes", limits.flash_bytes);
  check_positive("macs", limits.macs);
  check_positive("latency_us", limits.latency_us);
  if (limits.overhead.sram_bytes < 0 || limits.overhead.flash_bytes < 0) {
    throw InputError("[limits] overhead: expected no negative bytes, got " + std::to_string(limits.overhead.sram_bytes) +
                     " and " + std::to_string(limits.overhead.flash_bytes));
  }
}

bool fits(const Score& score, const Limits& limits) {
  return !(limits.sram_bytes && score.sram_bytes + limits.overhead.sram_bytes > *limits.sram_bytes) &&
         !(limits.flash_bytes && score.flash_bytes + limits.overhead.flash_bytes > *limits.flash_bytes) &&
         !(limits.macs && score.macs > *limits.macs) && !(limits.latency_us && score.latency_us > *limits.latency_us);
}

double excess(const Score& score, const Limits& limits) {
  return std::max({share(score.sram_bytes + limits.overhead.sram_bytes, limits.sram_bytes),
                   share(score.flash_bytes + limits.overhead.flash_bytes, limits.flash_bytes),
                   share(score.macs, limits.macs), share(score.latency_us, limits.latency_us)});
}

Score score_of(const SearchSpace& space, const Oracle& oracle, const Arch& arch) {
  const Cost cost = oracle.cost(build_graph(space, arch));
  return {cost.sram_bytes, cost.flash_bytes, cost.macs, cost.latency_us};
}

std::vector<Score> score_all(const SearchSpace& space, const Oracle& oracle, std::span<const Arch> archs, int threads) {
  const bool points = std::all_of(archs.begin(), archs.end(), [&](const Arch& arch) { return contains(space, arch); });
  const auto table = points ? ScoreTable::make(space, oracle) : nullptr;
  if (table && table->exact()) return score_all(*table, archs, threads);
  std::vector<Score> scores(archs.size());
  parallel_for(archs.size(), threads, [&](std::size_t i) { scores[i] = score_of(space, oracle, archs[i]); });
  return scores;
}

SmallestFootprint smallest_footprint(const SearchSpace& space, const Oracle& oracle, const Limits& limits) {
  std::vector<Arch> archs;
  for (const auto resolution : space.resolutions) {
    for (const auto width : space.widths) archs.push_back(smallest(space, resolution, width));
  }
  const std::vector<Score> scores = score_all(space, oracle, archs);
  const auto least = [&](auto figure) -> Footprint {
    const auto best = std::min_element(scores.begin(), scores.end(),
                                       [&](const Score& a, const Score& b) { return figure(a) < figure(b); });
    return {archs[static_cast<std::size_t>(best - scores.begin())], *best};
  };
  return {least([](const Score& s) { return s.sram_bytes; }), least([](const Score& s) { return s.flash_bytes; }),
          least([](const Score& s) { return s.macs; }), least([&](const Score& s) { return excess(s, limits); })};
}

}  // namespace tinynas
