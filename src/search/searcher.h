// Stage 2: searchers that propose networks within limits and learn from their accuracies. Measuring happens outside: ask()
// gives networks, tell() takes what was measured. A searcher's state between the two is one JSON value, so a search that was
// killed resumes to the same result.
//
// What may vary is what the space lists: with one resolution and one width it is the search within a subspace, with several
// they are genes like any other (the joint mode of MCUNetV2).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "search/limits.h"
#include "search/pareto.h"
#include "search/score_table.h"
#include "space/rng.h"

namespace tinynas {

struct SearchOptions {
  std::int32_t population = 100;
  std::int32_t parents = 20;     // evolution: the best of the pool; regularised evolution: size of a tournament
  std::int32_t crossovers = 50;  // children per generation
  std::int32_t mutations = 50;
  double mutation_probability = 0.1;  // per gene
  std::int32_t generations = 30;      // after the first population
  std::int32_t attempts = 500;        // candidates tried per network wanted before giving up on it
  std::uint64_t seed = 0;
  int threads = 0;  // for the oracle; below 1: all. Does not change results.
  /// Objectives beside accuracy, of "sram", "flash", "macs", "latency": evolution then keeps a Pareto front's parents.
  std::vector<std::string> objectives;
};

struct Candidate {
  Arch arch;
  Score score;
  double accuracy = 0;
};

class Searcher {
 public:
  /// `oracle` is shared with the caller. Throws InputError for bad options, limits or space.
  Searcher(SearchSpace space, std::shared_ptr<const Oracle> oracle, Limits limits, SearchOptions options);
  virtual ~Searcher() = default;

  [[nodiscard]] virtual std::string name() const = 0;

  /// The networks to measure next: within the limits, none of them measured before. The same ones until tell(). Empty:
  /// finished, the space is exhausted, or (when nothing has been measured either) nothing within the limits was found.
  [[nodiscard]] const std::vector<Candidate>& ask();

  /// Accuracies of what ask() gave, in its order, any unit, larger is better. InputError when the number differs or one is
  /// not finite.
  void tell(const std::vector<double>& accuracies);

  /// All measured networks in the order of measuring.
  [[nodiscard]] const std::vector<Candidate>& history() const { return history_; }
  /// The measured network of highest accuracy, the first of equals.
  [[nodiscard]] std::optional<Candidate> best() const;
  /// Indices into history(): Pareto front of accuracy and the option's objectives.
  [[nodiscard]] std::vector<std::size_t> front() const;
  [[nodiscard]] std::int32_t generation() const { return generation_; }
  [[nodiscard]] bool finished() const { return finished_; }
  /// population + generations * (crossovers + mutations): what every searcher may measure at most.
  [[nodiscard]] std::int64_t measurements() const;

  [[nodiscard]] std::string to_json() const;
  /// Takes over a state that to_json() wrote. InputError when it is broken or belongs to another searcher, space, limits or
  /// options.
  void restore(const std::string& state);

  [[nodiscard]] const SearchSpace& space() const { return space_; }
  [[nodiscard]] const SearchOptions& options() const { return options_; }

 protected:
  /// The candidates of the next round; may be fewer than wanted, empty ends the search.
  virtual std::vector<Candidate> propose() = 0;
  /// After tell(): the new candidates are the last `count` of history().
  virtual void learn(std::size_t count) = 0;
  /// What a kind adds to the state: indices into history.
  [[nodiscard]] virtual std::vector<std::size_t> pool() const = 0;
  virtual void set_pool(std::vector<std::size_t> pool) = 0;

  /// Rounds of ask and tell after which the search ends, should it not have measured measurements() before.
  [[nodiscard]] virtual std::int32_t rounds() const { return options_.generations + 1; }

  /// Appends to `found` until it holds `wanted` new networks within the limits, or `attempts` ones made by make() were
  /// tried. Deterministic whatever the number of threads.
  void find(std::size_t wanted, std::int64_t attempts, const std::function<Arch()>& make, std::vector<Candidate>& found);
  /// Random networks; what is lacking is mutated from those found and from the smallest networks that fit.
  [[nodiscard]] std::vector<Candidate> first_population(std::size_t wanted);
  [[nodiscard]] Objectives objectives_of(const Candidate& candidate) const;

  SearchSpace space_;
  std::shared_ptr<const Oracle> oracle_;
  Limits limits_;
  SearchOptions options_;
  Rng rng_;
  std::vector<Candidate> history_;

 private:
  [[nodiscard]] nlohmann::json identity() const;
  [[nodiscard]] std::vector<std::int32_t> key(const Arch& arch) const;
  void keep_fitting(std::vector<Arch> tried, std::size_t wanted, std::vector<Candidate>& found);

  std::unique_ptr<ScoreTable> table_;         // rules out most candidates before the oracle is asked
  std::set<std::vector<std::int32_t>> seen_;  // keys of what has been asked
  std::vector<Candidate> asked_;
  bool pending_ = false, finished_ = false;
  std::int32_t generation_ = 0;
};

/// "evolution", "random", "regularized-evolution"; InputError lists the names for an unknown one.
[[nodiscard]] std::unique_ptr<Searcher> make_searcher(const std::string& name, SearchSpace space,
                                                      std::shared_ptr<const Oracle> oracle, Limits limits,
                                                      SearchOptions options);
[[nodiscard]] std::vector<std::string> searcher_names();

}  // namespace tinynas
