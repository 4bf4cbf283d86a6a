#include "oracle/packing/fit.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "oracle/packing/glue.h"

namespace tinynas::packing {
namespace {

constexpr std::uint64_t kFirstNodes = 4'000;
constexpr double kGrowth = 1.6;
constexpr std::int64_t kAllGuesses = 1 << 20;

/// Written once by the thread that decides.
struct Outcome {
  std::mutex mutex;
  std::atomic<bool> decided{false};
  Verdict verdict = Verdict::undecided;
  std::vector<std::int64_t> offsets;

  void decide(Verdict value, std::vector<std::int64_t> found = {}) {
    const std::lock_guard lock(mutex);
    if (decided) return;
    verdict = value;
    offsets = std::move(found);
    decided = true;
  }
};

class Portfolio {
 public:
  Portfolio(const Problem& problem, Clock::time_point deadline, int thread, Outcome& outcome)
      : problem_(problem),
        stop_{deadline, &outcome.decided},
        outcome_(outcome),
        random_(static_cast<std::uint64_t>(thread) + 1),
        items_(problem.items.begin(), problem.items.end()) {
    const bool reversed = thread % 2 == 1;
    for (auto& item : items_) {
      if (reversed) item = {item.size, -item.upper, -item.lower};
      rounded_.push_back({problem.round_up(item.size), item.lower, item.upper});
    }
  }

  void run() {
    SkylineSearch whole(items_, problem_.alignment, problem_.goal, random_());
    auto nodes = kFirstNodes;
    for (std::int64_t turn = 0; !stop_.reached(); ++turn) {
      const auto some = static_cast<std::int64_t>(random_() % 20);
      for (const GlueOptions& options : {GlueOptions{0, 0}, {kAllGuesses, 0}, {some, 0}, {0, 1}, {some, 2}}) {
        search_glued(options, nodes);
      }
      if (stop_.reached()) return;
      const auto verdict = whole.run(nodes, stop_);
      if (verdict != Verdict::undecided) outcome_.decide(verdict, whole.offsets());
      squeak(turn);
      nodes = static_cast<std::uint64_t>(static_cast<double>(nodes) * kGrowth);
    }
  }

 private:
  void search_glued(const GlueOptions& options, std::uint64_t nodes) {
    if (stop_.reached()) return;
    const auto glued = glue(rounded_, options, random_);
    const auto capacity = problem_.goal / problem_.alignment * problem_.alignment;
    SkylineSearch search(glued.items, problem_.alignment, capacity, random_());
    if (search.run(nodes, stop_) != Verdict::found) return;  // impossible: of the guess only
    std::vector<std::int64_t> offsets(items_.size());
    for (std::size_t group = 0; group < glued.parts.size(); ++group) {
      for (const auto& part : glued.parts[group]) {
        offsets[static_cast<std::size_t>(part.item)] = search.offsets()[group] + part.offset;
      }
    }
    outcome_.decide(Verdict::found, std::move(offsets));
  }

  void squeak(std::int64_t turn) {
    if (stop_.reached()) return;
    Packing packing;
    packing.bytes = std::numeric_limits<std::int64_t>::max();
    repair(problem_, std::int64_t{50} << std::min<std::int64_t>(turn, 8), stop_.deadline, random_(), packing);
    if (packing.bytes <= problem_.goal) outcome_.decide(Verdict::found, std::move(packing.offsets));
  }

  const Problem& problem_;
  Stop stop_;
  Outcome& outcome_;
  std::mt19937_64 random_;
  std::vector<PackItem> items_, rounded_;
};

}  // namespace

Verdict fit(const Problem& problem, Clock::time_point deadline, int threads, Packing& best) {
  Outcome outcome;
  const auto count = threads < 1 ? std::max(1, static_cast<int>(std::thread::hardware_concurrency())) : threads;
  std::vector<std::jthread> pool;
  for (int thread = 1; thread < count; ++thread) {
    pool.emplace_back([&, thread] { Portfolio(problem, deadline, thread, outcome).run(); });
  }
  Portfolio(problem, deadline, 0, outcome).run();
  pool.clear();  // joins
  if (outcome.verdict == Verdict::found) {
    best.offsets = std::move(outcome.offsets);
    best.bytes = 0;
    for (std::size_t i = 0; i < best.offsets.size(); ++i) {
      best.bytes = std::max(best.bytes, best.offsets[i] + problem.items[i].size);
    }
  }
  return outcome.verdict;
}

}  // namespace tinynas::packing
