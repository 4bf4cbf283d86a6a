// The searchers: evolution as in MCUNet, and its two baselines in the same interface.
#pragma once

#include "search/searcher.h"

namespace tinynas {

/// Every generation the best `parents` of the pool stay; `crossovers` children take each gene from either of two of them,
/// `mutations` children are one of them with every gene redrawn with the given probability (Cai et al., Once-for-All, 2020;
/// Lin et al., MCUNet, 2020). With objectives beside accuracy the parents are NSGA-II's: by front, then by crowding.
class Evolution final : public Searcher {
 public:
  using Searcher::Searcher;
  [[nodiscard]] std::string name() const override { return "evolution"; }

 protected:
  std::vector<Candidate> propose() override;
  void learn(std::size_t count) override;
  [[nodiscard]] std::vector<std::size_t> pool() const override { return pool_; }
  void set_pool(std::vector<std::size_t> pool) override { pool_ = std::move(pool); }

 private:
  void keep_parents();

  std::vector<std::size_t> pool_;  // indices into history_
};

/// Random networks within the limits, as many per round as evolution has.
class RandomSearch final : public Searcher {
 public:
  using Searcher::Searcher;
  [[nodiscard]] std::string name() const override { return "random"; }

 protected:
  std::vector<Candidate> propose() override;
  void learn(std::size_t) override {}
  [[nodiscard]] std::vector<std::size_t> pool() const override { return {}; }
  void set_pool(std::vector<std::size_t>) override {}
};

/// Real et al., Regularized Evolution, 2019: the best of `parents` random members of the pool is mutated, the oldest member
/// dies. A round asks for ten children at a time.
class RegularizedEvolution final : public Searcher {
 public:
  using Searcher::Searcher;
  [[nodiscard]] std::string name() const override { return "regularized-evolution"; }

 protected:
  [[nodiscard]] std::int32_t rounds() const override { return 1 << 30; }
  std::vector<Candidate> propose() override;
  void learn(std::size_t count) override;
  [[nodiscard]] std::vector<std::size_t> pool() const override { return pool_; }
  void set_pool(std::vector<std::size_t> pool) override { pool_ = std::move(pool); }

 private:
  std::vector<std::size_t> pool_;  // oldest first
};

}  // namespace tinynas
