// The packer's exact search: placements in ascending order of offset. Every packing can be pushed down until each buffer
// stands on the ground or on one that it overlaps in time, so only such places are tried.
#include <algorithm>
#include <limits>

#include "oracle/packing/packing.h"

namespace tinynas::packing {
namespace {

class BranchAndBound {
 public:
  BranchAndBound(const Problem& problem, std::int64_t node_limit, Clock::time_point deadline, Packing& best)
      : problem_(problem),
        node_limit_(node_limit),
        deadline_(deadline),
        best_(best),
        offsets_(problem.items.size(), -1),
        ground_(problem.items.size(), 0),
        waiting_(problem.items.size(), 0) {
    // Items that live together compete for the same bytes: what still waits there is a lower bound on the top.
    for (std::size_t i = 0; i < problem.items.size(); ++i) {
      auto least = problem.items[i].size;
      for (const auto& other : problem.neighbours[i]) least = std::min(least, other.under);
      waiting_[i] = problem.round_up(least);
    }
  }

  bool run() {
    search(0, 0, 0);
    return complete_;
  }

 private:
  struct Candidate {
    std::int64_t offset = 0;
    std::int32_t item = 0;
  };

  [[nodiscard]] const PackItem& item(std::int32_t index) const { return problem_.items[static_cast<std::size_t>(index)]; }

  /// False when some remaining item already breaks the best known packing. Items at the same place with the same size and
  /// lifetime are one candidate.
  bool collect(std::vector<Candidate>& candidates, std::int64_t floor) const {
    // An item placed at or above `limit` would leave room below for the one whose top `limit` is: moving that one down is no
    // worse.
    std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < problem_.items.size(); ++i) {
      if (offsets_[i] >= 0) continue;
      const auto top = ground_[i] + problem_.items[i].size;
      if (top >= best_.bytes) return false;
      limit = std::min(limit, top);
      if (ground_[i] >= floor) candidates.push_back({ground_[i], static_cast<std::int32_t>(i)});
    }
    if (limit <= floor) return false;
    if (!stacks_fit(floor)) return false;
    std::erase_if(candidates, [&](const Candidate& c) { return c.offset >= limit; });
    std::sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
      if (a.offset != b.offset) return a.offset < b.offset;
      return item(a.item).size > item(b.item).size;
    });
    const auto same = [&](const Candidate& a, const Candidate& b) {
      const auto& x = item(a.item);
      const auto& y = item(b.item);
      return a.offset == b.offset && x.size == y.size && x.lower == y.lower && x.upper == y.upper;
    };
    candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
    return true;
  }

  /// At the start of every remaining item, the remaining items live there must stack up above the floor.
  [[nodiscard]] bool stacks_fit(std::int64_t floor) const {
    for (std::size_t i = 0; i < problem_.items.size(); ++i) {
      if (offsets_[i] >= 0) continue;
      const auto step = problem_.items[i].lower;
      auto lowest = ground_[i];
      auto stack = waiting_[i];
      auto padding = std::max<std::int64_t>(0, waiting_[i] - problem_.items[i].size);
      for (const auto& other : problem_.neighbours[i]) {
        const auto o = static_cast<std::size_t>(other.item);
        if (offsets_[o] >= 0 || problem_.items[o].lower > step || problem_.items[o].upper <= step) continue;
        stack += waiting_[o];
        lowest = std::min(lowest, ground_[o]);
        padding = std::max(padding, waiting_[o] - problem_.items[o].size);
      }
      if (std::max(lowest, floor) + stack - padding >= best_.bytes) return false;
    }
    return true;
  }

  void search(std::size_t placed, std::int64_t floor, std::int64_t top) {
    if (++nodes_ > node_limit_ || (nodes_ % 256 == 0 && Clock::now() >= deadline_)) {
      complete_ = false;
      return;
    }
    if (placed == problem_.items.size()) {
      best_.offsets = offsets_;
      best_.bytes = top;
      return;
    }
    std::vector<Candidate> candidates;
    if (!collect(candidates, floor)) return;
    for (const auto& candidate : candidates) {
      place(candidate, placed, top);
      if (best_.bytes <= problem_.goal || !complete_) return;
    }
  }

  void place(const Candidate& candidate, std::size_t placed, std::int64_t top) {
    const auto index = static_cast<std::size_t>(candidate.item);
    const auto end = candidate.offset + problem_.items[index].size;
    std::vector<std::pair<std::int32_t, std::int64_t>> before;
    offsets_[index] = candidate.offset;
    for (const auto& other : problem_.neighbours[index]) {
      const auto above = candidate.offset + other.under;
      auto& ground = ground_[static_cast<std::size_t>(other.item)];
      if (offsets_[static_cast<std::size_t>(other.item)] >= 0 || ground >= above) continue;
      before.emplace_back(other.item, ground);
      ground = problem_.round_up(above);
    }
    search(placed + 1, candidate.offset, std::max(top, end));
    for (const auto& [other, ground] : before) ground_[static_cast<std::size_t>(other)] = ground;
    offsets_[index] = -1;
  }

  const Problem& problem_;
  std::int64_t node_limit_;
  Clock::time_point deadline_;
  Packing& best_;
  std::vector<std::int64_t> offsets_;  // -1: not placed yet
  std::vector<std::int64_t> ground_;   // of a remaining item: where it can stand on all placed ones that live with it
  std::vector<std::int64_t> waiting_;  // rounded: the least that each pushes up others by
  std::int64_t nodes_ = 0;
  bool complete_ = true;
};

}  // namespace

bool branch_and_bound(const Problem& problem, std::int64_t node_limit, Clock::time_point deadline, Packing& best) {
  return BranchAndBound(problem, node_limit, deadline, best).run();
}

}  // namespace tinynas::packing
