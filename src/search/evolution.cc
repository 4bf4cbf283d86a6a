#include "search/evolution.h"

#include <algorithm>
#include <numeric>

#include "graph/error.h"
#include "space/sample.h"

namespace tinynas {
namespace {

constexpr std::size_t kChildrenPerRound = 10;

template <typename T>
const T& pick(const std::vector<T>& values, Rng& rng) {
  return values[rng.below(static_cast<std::uint32_t>(values.size()))];
}

void append_new(std::vector<std::size_t>& pool, std::size_t total, std::size_t count) {
  for (std::size_t i = total - count; i < total; ++i) pool.push_back(i);
}

}  // namespace

void Evolution::keep_parents() {
  std::vector<Objectives> points;
  for (const auto i : pool_) points.push_back(objectives_of(history_[i]));
  const std::vector<std::size_t> ranks = pareto_ranks(points);
  std::vector<double> crowded(points.size(), 0.0);
  for (std::size_t rank = 0; !options_.objectives.empty() && rank < points.size(); ++rank) {
    std::vector<std::size_t> members;
    std::vector<Objectives> front;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (ranks[i] != rank) continue;
      members.push_back(i);
      front.push_back(points[i]);
    }
    const std::vector<double> distances = crowding(front);
    for (std::size_t i = 0; i < members.size(); ++i) crowded[members[i]] = distances[i];
  }
  std::vector<std::size_t> order(pool_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return ranks[a] != ranks[b] ? ranks[a] < ranks[b] : crowded[a] > crowded[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(options_.parents)));
  std::vector<std::size_t> parents;
  for (const auto i : order) parents.push_back(pool_[i]);
  pool_ = std::move(parents);
}

std::vector<Candidate> Evolution::propose() {
  if (history_.empty()) return first_population(static_cast<std::size_t>(options_.population));
  keep_parents();
  const auto parent = [this]() -> const Arch& { return history_[pick(pool_, rng_)].arch; };
  const auto crossovers = static_cast<std::size_t>(options_.crossovers);
  const std::size_t children = crossovers + static_cast<std::size_t>(options_.mutations);
  std::vector<Candidate> found;
  find(
      crossovers, std::int64_t{options_.crossovers} * options_.attempts,
      [&] {
        const Arch& first = parent();
        return crossover(space_, first, parent(), rng_, true);
      },
      found);
  // Parents that have become too alike to cross leave their share to mutation.
  find(
      children, static_cast<std::int64_t>(children) * options_.attempts,
      [&] { return mutate(space_, parent(), options_.mutation_probability, rng_, true); }, found);
  return found;
}

void Evolution::learn(std::size_t count) { append_new(pool_, history_.size(), count); }

std::vector<Candidate> RandomSearch::propose() {
  const bool first = history_.empty();
  return first_population(static_cast<std::size_t>(first ? options_.population : options_.crossovers + options_.mutations));
}

std::vector<Candidate> RegularizedEvolution::propose() {
  if (history_.empty()) return first_population(static_cast<std::size_t>(options_.population));
  const auto left = static_cast<std::size_t>(measurements()) - history_.size();
  const auto child = [this] {
    std::size_t best = pick(pool_, rng_);
    for (std::int32_t i = 1; i < options_.parents; ++i) {
      const std::size_t other = pick(pool_, rng_);
      if (history_[other].accuracy > history_[best].accuracy) best = other;
    }
    return mutate(space_, history_[best].arch, options_.mutation_probability, rng_, true);
  };
  const std::size_t wanted = std::min(kChildrenPerRound, left);
  std::vector<Candidate> found;
  find(wanted, static_cast<std::int64_t>(wanted) * options_.attempts, child, found);
  return found;
}

void RegularizedEvolution::learn(std::size_t count) {
  append_new(pool_, history_.size(), count);
  const auto most = static_cast<std::size_t>(options_.population);
  if (pool_.size() > most) pool_.erase(pool_.begin(), pool_.end() - static_cast<std::ptrdiff_t>(most));
}

std::vector<std::string> searcher_names() { return {"evolution", "random", "regularized-evolution"}; }

std::unique_ptr<Searcher> make_searcher(const std::string& name, SearchSpace space, std::shared_ptr<const Oracle> oracle,
                                        Limits limits, SearchOptions options) {
  const auto make = [&]<typename Kind>() -> std::unique_ptr<Searcher> {
    return std::make_unique<Kind>(std::move(space), std::move(oracle), std::move(limits), std::move(options));
  };
  if (name == "evolution") return make.template operator()<Evolution>();
  if (name == "random") return make.template operator()<RandomSearch>();
  if (name == "regularized-evolution") return make.template operator()<RegularizedEvolution>();
  throw InputError("[search] searcher: expected evolution, random or regularized-evolution, got " + name);
}

}  // namespace tinynas
