#include "search/searcher.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "graph/error.h"
#include "search/searcher_json.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "space/validate.h"

namespace tinynas {
namespace {

constexpr std::size_t kBatch = 64;  // candidates scored together; part of the result's definition

void check(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    throw InputError("[search] " + std::string(name) + ": expected " + std::to_string(low) + " to " + std::to_string(high) +
                     ", got " + std::to_string(value));
  }
}

void check(const SearchOptions& options) {
  check("population", options.population, 1, 1e6);
  check("parents", options.parents, 1, 1e6);
  check("crossovers", options.crossovers, 0, 1e6);
  check("mutations", options.mutations, 0, 1e6);
  check("mutation_probability", options.mutation_probability, 0, 1);
  check("generations", options.generations, 0, 1e6);
  check("attempts", options.attempts, 1, 1e6);
  for (const std::string& objective : options.objectives) {
    if (objective != "sram" && objective != "flash" && objective != "macs" && objective != "latency") {
      throw InputError("[search] objectives: expected sram, flash, macs or latency, got " + objective);
    }
  }
}

}  // namespace

Searcher::Searcher(SearchSpace space, std::shared_ptr<const Oracle> oracle, Limits limits, SearchOptions options)
    : space_(std::move(space)),
      oracle_(std::move(oracle)),
      limits_(std::move(limits)),
      options_(std::move(options)),
      rng_(options_.seed) {
  if (!oracle_) throw InputError("[search] oracle: expected one, got none");
  validate(space_);
  validate(limits_);
  check(options_);
  table_ = ScoreTable::make(space_, *oracle_);
}

const std::vector<Candidate>& Searcher::ask() {
  if (pending_) return asked_;
  asked_.clear();
  if (finished_) return asked_;
  asked_ = propose();
  pending_ = !asked_.empty();
  finished_ = asked_.empty();
  return asked_;
}

void Searcher::tell(const std::vector<double>& accuracies) {
  if (!pending_ || accuracies.size() != asked_.size()) {
    throw InputError("[search] tell: expected " + std::to_string(pending_ ? asked_.size() : 0) + " accuracies, got " +
                     std::to_string(accuracies.size()));
  }
  for (const double accuracy : accuracies) {
    if (!std::isfinite(accuracy))
      throw InputError("[search] tell: expected finite accuracies, got " + std::to_string(accuracy));
  }
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    asked_[i].accuracy = accuracies[i];
    history_.push_back(asked_[i]);
  }
  learn(asked_.size());
  asked_.clear();
  pending_ = false;
  ++generation_;
  finished_ = generation_ >= rounds() || static_cast<std::int64_t>(history_.size()) >= measurements();
}

std::optional<Candidate> Searcher::best() const {
  const auto found = std::max_element(history_.begin(), history_.end(),
                                      [](const Candidate& a, const Candidate& b) { return a.accuracy < b.accuracy; });
  if (found == history_.end()) return std::nullopt;
  return *found;
}

std::vector<std::size_t> Searcher::front() const {
  std::vector<Objectives> points;
  for (const Candidate& candidate : history_) points.push_back(objectives_of(candidate));
  return pareto_front(points);
}

std::int64_t Searcher::measurements() const {
  return options_.population + static_cast<std::int64_t>(options_.generations) * (options_.crossovers + options_.mutations);
}

Objectives Searcher::objectives_of(const Candidate& candidate) const {
  Objectives point{-candidate.accuracy};
  for (const std::string& objective : options_.objectives) {
    const Score& score = candidate.score;
    point.push_back(objective == "sram"    ? static_cast<double>(score.sram_bytes)
                    : objective == "flash" ? static_cast<double>(score.flash_bytes)
                    : objective == "macs"  ? static_cast<double>(score.macs)
                                           : score.latency_us);
  }
  return point;
}

std::vector<std::int32_t> Searcher::key(const Arch& arch) const {
  // Genes of unused blocks are left out: two points that differ only there are one network.
  std::vector<std::int32_t> result{arch.resolution, static_cast<std::int32_t>(std::lround(arch.width * 1e6))};
  result.push_back(static_cast<std::int32_t>(format_of(arch, 0)));
  if (space_.feature_mix > 0) result.push_back(static_cast<std::int32_t>(format_of(arch, unit_count(arch) - 1)));
  std::size_t first = 0;
  for (std::size_t s = 0; s < arch.depths.size(); ++s) {
    result.push_back(arch.depths[s]);
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      const std::size_t index = first + static_cast<std::size_t>(b);
      const BlockChoice& block = arch.blocks[index];
      result.push_back((block.kernel * 64 + block.expansion) * 4 + static_cast<std::int32_t>(format_of(arch, 1 + index)));
    }
    first += static_cast<std::size_t>(space_.stages[s].depths.back());
  }
  return result;
}

void Searcher::keep_fitting(std::vector<Arch> tried, std::size_t wanted, std::vector<Candidate>& found) {
  std::set<std::vector<std::int32_t>> here;
  std::erase_if(tried, [&](const Arch& arch) {
    auto name = key(arch);
    return seen_.contains(name) || !here.insert(std::move(name)).second;
  });
  // What the table says of memory is the oracle's figure or below it.
  auto sure = limits_;
  if (table_ && !table_->exact()) sure.latency_us.reset();
  if (table_) std::erase_if(tried, [&](const Arch& arch) { return !fits(table_->score(arch), sure); });
  const std::vector<Score> scores = table_ && table_->exact() ? score_all(*table_, tried, options_.threads)
                                                              : score_all(space_, *oracle_, tried, options_.threads);
  for (std::size_t i = 0; i < tried.size() && found.size() < wanted; ++i) {
    if (!fits(scores[i], limits_)) continue;
    seen_.insert(key(tried[i]));
    found.push_back({std::move(tried[i]), scores[i], 0});
  }
}

void Searcher::find(std::size_t wanted, std::int64_t attempts, const std::function<Arch()>& make,
                    std::vector<Candidate>& found) {
  for (std::int64_t tried = 0; found.size() < wanted && tried < attempts; tried += kBatch) {
    std::vector<Arch> batch;
    for (std::size_t i = 0; i < kBatch; ++i) batch.push_back(make());
    keep_fitting(std::move(batch), wanted, found);
  }
}

std::vector<Candidate> Searcher::first_population(std::size_t wanted) {
  const auto draw = [this](const auto& choices) { return choices[rng_.below(static_cast<std::uint32_t>(choices.size()))]; };
  std::vector<Candidate> found;
  // A tenth of the attempts: a budget that random networks rarely meet is reached from below instead.
  find(
      wanted, static_cast<std::int64_t>(wanted) * std::max(1, options_.attempts / 10),
      [&] {
        const std::int32_t resolution = draw(space_.resolutions);
        return sample(space_, resolution, draw(space_.widths), rng_);
      },
      found);
  if (found.size() >= wanted) return found;
  std::vector<Arch> low;
  for (const auto resolution : space_.resolutions) {
    for (const auto width : space_.widths) low.push_back(smallest(space_, resolution, width));
  }
  keep_fitting(std::move(low), wanted, found);
  if (found.empty()) return found;
  const double p = std::max(options_.mutation_probability, 0.05);
  find(
      wanted, static_cast<std::int64_t>(wanted) * options_.attempts,
      [&] { return mutate(space_, found[rng_.below(static_cast<std::uint32_t>(found.size()))].arch, p, rng_, true); },
      found);
  return found;
}

nlohmann::json Searcher::identity() const {
  return {{"searcher", name()},
          {"space", tinynas::to_json(space_)},
          {"limits", tinynas::to_json(limits_)},
          {"options", tinynas::to_json(options_)}};
}

std::string Searcher::to_json() const {
  nlohmann::json history = nlohmann::json::array(), asked = nlohmann::json::array();
  for (const Candidate& candidate : history_) history.push_back(tinynas::to_json(candidate));
  for (const Candidate& candidate : asked_) asked.push_back(tinynas::to_json(candidate));
  return nlohmann::json{{"identity", identity()}, {"generation", generation_}, {"finished", finished_},
                        {"rng", rng_.state()},    {"history", history},        {"pool", pool()},
                        {"asked", asked}}
      .dump();
}

void Searcher::restore(const std::string& state) {
  const nlohmann::json document = parse_json(state, "search state");
  const JsonReader reader(document, "search state");
  reader.only({"identity", "generation", "finished", "rng", "history", "pool", "asked"});
  check_identity(reader.field("identity").raw(), identity());
  const auto read = [&](const char* name) {
    std::vector<Candidate> candidates;
    for (const JsonReader& item : reader.field(name).items()) {
      candidates.push_back(candidate_from_json(item));
      validate(space_, candidates.back().arch);
    }
    return candidates;
  };
  std::vector<Candidate> history = read("history"), asked = read("asked");
  std::vector<std::size_t> pool;
  for (const JsonReader& item : reader.field("pool").items()) {
    pool.push_back(static_cast<std::size_t>(item.integer(0, static_cast<std::int64_t>(history.size()) - 1)));
  }
  const auto words = reader.field("rng").items();
  if (words.size() != 4) reader.field("rng").fail("four numbers");
  Rng::State rng{};
  for (std::size_t i = 0; i < 4; ++i) rng[i] = words[i].uint64();
  const std::int32_t generation = reader.field("generation").int32(0, 1 << 30);
  const bool finished = reader.field("finished").boolean();
  // Nothing above changed this searcher, nothing below throws.
  generation_ = generation;
  finished_ = finished;
  rng_.set_state(rng);
  history_ = std::move(history);
  asked_ = std::move(asked);
  pending_ = !asked_.empty();
  seen_.clear();
  for (const Candidate& candidate : history_) seen_.insert(key(candidate.arch));
  for (const Candidate& candidate : asked_) seen_.insert(key(candidate.arch));
  set_pool(std::move(pool));
}

}  // namespace tinynas
