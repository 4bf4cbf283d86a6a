#include "oracle/packing/glue.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <utility>

namespace tinynas::packing {
namespace {

class Gluing {
 public:
  Gluing(std::span<const PackItem> items, const GlueOptions& options, std::mt19937_64& random)
      : options_(options), random_(random) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      groups_.push_back({items[i], {{static_cast<std::int32_t>(i), 0}}, true});
    }
  }

  Glued run() {
    auto guesses = options_.guesses;
    while (join_in_time() || stack(true) || (guesses-- > 0 && stack(false))) {
    }
    Glued glued;
    for (auto& group : groups_) {
      if (!group.alive) continue;
      glued.items.push_back(group.item);
      glued.parts.push_back(std::move(group.parts));
    }
    return glued;
  }

 private:
  struct Group {
    PackItem item;
    std::vector<Glued::Part> parts;
    bool alive = true;
  };
  using BySize = std::unordered_multimap<std::int64_t, std::size_t>;

  /// The groups that are left in random order, and by size.
  std::pair<std::vector<std::size_t>, BySize> index() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].alive) order.push_back(i);
    }
    std::shuffle(order.begin(), order.end(), random_);
    BySize by_size;
    for (const auto i : order) by_size.emplace(groups_[i].item.size, i);
    return {std::move(order), std::move(by_size)};
  }

  /// Whether b begins when a ends.
  [[nodiscard]] bool follows(const PackItem& a, const PackItem& b) const {
    return b.lower >= a.upper && b.lower - a.upper <= options_.tolerance;
  }

  [[nodiscard]] bool live_alike(const PackItem& a, const PackItem& b) const {
    return std::abs(a.lower - b.lower) <= options_.tolerance && std::abs(a.upper - b.upper) <= options_.tolerance;
  }

  /// Every pair of equal size in which one begins when the other ends. True when there was one.
  bool join_in_time() {
    const auto [order, by_size] = index();
    bool joined = false;
    for (const auto i : order) {
      auto& first = groups_[i];
      if (!first.alive) continue;
      const auto [begin, end] = by_size.equal_range(first.item.size);
      for (auto it = begin; it != end; ++it) {
        auto& second = groups_[it->second];
        if (it->second == i || !second.alive || !follows(first.item, second.item)) continue;
        first.item.upper = second.item.upper;
        first.parts.insert(first.parts.end(), second.parts.begin(), second.parts.end());
        second.alive = false;
        joined = true;
        break;
      }
    }
    return joined;
  }

  /// One pair that lives equally long, put on top of each other. With evidence: a neighbour in time has the sum's size.
  bool stack(bool evidence) {
    const auto [order, by_size] = index();
    for (std::size_t k = 0; k < order.size(); ++k) {
      const auto& item = groups_[order[k]].item;
      for (auto l = k + 1; l < order.size(); ++l) {
        const auto& other = groups_[order[l]].item;
        if (!live_alike(item, other) || (evidence && !has_neighbour(by_size, item, other))) continue;
        put_on(order[k], order[l]);
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool has_neighbour(const BySize& by_size, const PackItem& a, const PackItem& b) const {
    const PackItem both{a.size + b.size, std::min(a.lower, b.lower), std::max(a.upper, b.upper)};
    const auto [begin, end] = by_size.equal_range(both.size);
    return std::any_of(begin, end, [&](const auto& entry) {
      const auto& item = groups_[entry.second].item;
      return follows(item, both) || follows(both, item);
    });
  }

  void put_on(std::size_t below, std::size_t above) {
    auto& lower = groups_[below];
    auto& upper = groups_[above];
    for (const auto& part : upper.parts) lower.parts.push_back({part.item, part.offset + lower.item.size});
    lower.item.size += upper.item.size;
    lower.item.lower = std::min(lower.item.lower, upper.item.lower);
    lower.item.upper = std::max(lower.item.upper, upper.item.upper);
    upper.alive = false;
  }

  GlueOptions options_;
  std::mt19937_64& random_;
  std::vector<Group> groups_;
};

}  // namespace

Glued glue(std::span<const PackItem> items, const GlueOptions& options, std::mt19937_64& random) {
  return Gluing(items, options, random).run();
}

}  // namespace tinynas::packing
