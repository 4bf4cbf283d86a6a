#include "oracle/planner.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tinynas {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

bool overlap_in_time(const PackItem& a, const PackItem& b) { return a.lower < b.upper && b.lower < a.upper; }

struct Range {
  std::int64_t begin = 0, end = 0;
};

/// The lowest aligned offset at which `size` bytes miss all `occupied` ranges.
std::int64_t lowest_gap(std::vector<Range>& occupied, std::int64_t size, std::int64_t alignment) {
  std::sort(occupied.begin(), occupied.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::int64_t offset = 0;
  for (const auto& range : occupied) {
    if (range.begin >= offset + size) break;
    offset = std::max(offset, round_up(range.end, alignment));
  }
  return offset;
}

using Order = std::vector<std::int32_t>;

template <class Key>
Order order_by(std::span<const PackItem> items, Key key) {
  Order order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return key(items[static_cast<std::size_t>(a)]) > key(items[static_cast<std::size_t>(b)]);
  });
  return order;
}

std::vector<Order> greedy_orders(std::span<const PackItem> items) {
  return {
      order_by(items, [](const PackItem& i) { return i.size; }),
      order_by(items, [](const PackItem& i) { return i.size * (i.upper - i.lower); }),
      order_by(items, [](const PackItem& i) { return std::int64_t{i.upper} - i.lower; }),
      order_by(items, [](const PackItem& i) { return -std::int64_t{i.lower}; }),
      order_by(items, [](const PackItem& i) { return std::int64_t{i.upper}; }),
  };
}

/// Depth-first search over placements in ascending order of offset. Every packing can be pushed down until each item stands
/// on the ground or on an item that it overlaps in time, so only such places are tried.
class BranchAndBound {
 public:
  BranchAndBound(std::span<const PackItem> items, const PackOptions& options, Packing best)
      : items_(items), options_(options), bound_(max_live(items, options.alignment)), best_(std::move(best)) {
    offsets_.assign(items.size(), -1);
  }

  Packing run() {
    nodes_ = 0;
    complete_ = true;
    search(0, 0, 0);
    best_.optimal = best_.bytes == bound_ || complete_;
    return best_;
  }

 private:
  struct Candidate {
    std::int64_t offset = 0;
    std::int32_t item = 0;
  };

  std::int64_t lowest_offset(std::size_t item) const {
    // Above everything placed that overlaps it in time: placement goes from the bottom up.
    std::int64_t offset = 0;
    for (std::size_t other = 0; other < items_.size(); ++other) {
      if (offsets_[other] >= 0 && overlap_in_time(items_[item], items_[other])) {
        offset = std::max(offset, round_up(offsets_[other] + items_[other].size, options_.alignment));
      }
    }
    return offset;
  }

  /// Items are placed from the bottom up, each exactly on top of what it overlaps. False when some remaining item already
  /// breaks the best known packing.
  bool collect(std::vector<Candidate>& candidates, std::int64_t floor) const {
    // An item placed at or above `limit` would leave room below for the item whose top `limit` is: moving that one down is
    // no worse.
    std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    for (std::size_t item = 0; item < items_.size(); ++item) {
      if (offsets_[item] >= 0) continue;
      const auto offset = lowest_offset(item);
      if (offset + items_[item].size >= best_.bytes) return false;
      limit = std::min(limit, offset + items_[item].size);
      if (offset >= floor) candidates.push_back({offset, static_cast<std::int32_t>(item)});
    }
    std::erase_if(candidates, [&](const Candidate& c) { return c.offset >= limit; });
    std::sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
      if (a.offset != b.offset) return a.offset < b.offset;
      return items_[static_cast<std::size_t>(a.item)].size > items_[static_cast<std::size_t>(b.item)].size;
    });
    return true;
  }

  void search(std::size_t placed, std::int64_t floor, std::int64_t top) {
    if (best_.bytes == bound_) return;
    if (++nodes_ > options_.node_limit) {
      complete_ = false;
      return;
    }
    if (placed == items_.size()) {
      best_.offsets = offsets_;
      best_.bytes = top;
      return;
    }
    std::vector<Candidate> candidates;
    if (!collect(candidates, floor)) return;
    for (const auto& candidate : candidates) {
      const auto item = static_cast<std::size_t>(candidate.item);
      offsets_[item] = candidate.offset;
      search(placed + 1, candidate.offset, std::max(top, candidate.offset + items_[item].size));
      offsets_[item] = -1;
      if (best_.bytes == bound_ || !complete_) return;
    }
  }

  std::span<const PackItem> items_;
  PackOptions options_;
  std::int64_t bound_;
  Packing best_;
  std::vector<std::int64_t> offsets_;
  std::int64_t nodes_ = 0;
  bool complete_ = true;
};

}  // namespace

std::int64_t max_live(std::span<const PackItem> items, std::int64_t alignment) {
  std::int64_t most = 0;
  for (const auto& at : items) {  // the maximum is reached where some item begins
    std::int64_t live = 0;
    std::int64_t last = 0;  // the last item's padding need not exist
    for (const auto& item : items) {
      if (item.lower > at.lower || item.upper <= at.lower) continue;
      live += round_up(item.size, alignment);
      last = std::max(last, round_up(item.size, alignment) - item.size);
    }
    most = std::max(most, live - last);
  }
  return most;
}

Packing pack_in_order(std::span<const PackItem> items, std::span<const std::int32_t> order, std::int64_t alignment) {
  Packing packing;
  packing.offsets.assign(items.size(), 0);
  std::vector<Range> occupied;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& item = items[static_cast<std::size_t>(order[i])];
    occupied.clear();
    for (std::size_t j = 0; j < i; ++j) {
      const auto& other = items[static_cast<std::size_t>(order[j])];
      const auto offset = packing.offsets[static_cast<std::size_t>(order[j])];
      if (overlap_in_time(item, other)) occupied.push_back({offset, offset + other.size});
    }
    const auto offset = lowest_gap(occupied, item.size, alignment);
    packing.offsets[static_cast<std::size_t>(order[i])] = offset;
    packing.bytes = std::max(packing.bytes, offset + item.size);
  }
  return packing;
}

Packing pack(std::span<const PackItem> items, const PackOptions& options) {
  Packing best;
  if (items.empty()) {
    best.optimal = true;
    return best;
  }
  best.bytes = std::numeric_limits<std::int64_t>::max();
  const auto bound = max_live(items, options.alignment);
  for (const auto& order : greedy_orders(items)) {
    auto packing = pack_in_order(items, order, options.alignment);
    if (packing.bytes < best.bytes) best = std::move(packing);
    if (best.bytes == bound) break;
  }
  best.optimal = best.bytes == bound;
  if (best.optimal || options.node_limit == 0) return best;
  return BranchAndBound(items, options, std::move(best)).run();
}

}  // namespace tinynas
