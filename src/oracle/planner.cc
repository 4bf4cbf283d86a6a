#include "oracle/planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>

#include "graph/error.h"
#include "oracle/packing.h"

namespace tinynas {
namespace packing {
namespace {

bool overlap_in_time(const PackItem& a, const PackItem& b) { return a.lower < b.upper && b.lower < a.upper; }

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

std::int64_t duration(const PackItem& item) { return std::int64_t{item.upper} - item.lower; }

Order greedy_order(std::span<const PackItem> items, int which) {
  switch (which) {
    case 0:
      return order_by(items, [](const PackItem& i) { return i.size; });
    case 1:
      return order_by(items, [](const PackItem& i) { return i.size * duration(i); });
    case 2:
      return order_by(items, duration);
    case 3:
      return order_by(items, [](const PackItem& i) { return -std::int64_t{i.lower}; });
    default:
      return order_by(items, [](const PackItem& i) { return std::int64_t{i.upper}; });
  }
}

}  // namespace

Problem make_problem(std::span<const PackItem> items, std::int64_t alignment, std::int64_t goal) {
  Problem problem{items, alignment, goal, std::vector<std::vector<std::int32_t>>(items.size())};
  std::vector<std::int32_t> by_start(items.size());
  std::iota(by_start.begin(), by_start.end(), 0);
  std::sort(by_start.begin(), by_start.end(), [&](std::int32_t a, std::int32_t b) {
    return items[static_cast<std::size_t>(a)].lower < items[static_cast<std::size_t>(b)].lower;
  });
  for (std::size_t i = 0; i < by_start.size(); ++i) {
    const auto a = static_cast<std::size_t>(by_start[i]);
    for (std::size_t j = i + 1; j < by_start.size(); ++j) {
      const auto b = static_cast<std::size_t>(by_start[j]);
      if (items[b].lower >= items[a].upper) break;
      if (!overlap_in_time(items[a], items[b])) continue;
      problem.neighbours[a].push_back(by_start[j]);
      problem.neighbours[b].push_back(by_start[i]);
    }
  }
  return problem;
}

Packing place_in_order(const Problem& problem, std::span<const std::int32_t> order) {
  struct Range {
    std::int64_t begin, end;
  };
  Packing packing;
  packing.offsets.assign(problem.items.size(), -1);
  std::vector<Range> occupied;
  for (const auto index : order) {
    const auto item = static_cast<std::size_t>(index);
    const auto size = problem.items[item].size;
    occupied.clear();
    for (const auto other : problem.neighbours[item]) {
      const auto offset = packing.offsets[static_cast<std::size_t>(other)];
      if (offset >= 0) occupied.push_back({offset, offset + problem.items[static_cast<std::size_t>(other)].size});
    }
    std::sort(occupied.begin(), occupied.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
    std::int64_t offset = 0;
    for (const auto& range : occupied) {
      if (range.begin >= offset + size) break;
      offset = std::max(offset, problem.round_up(range.end));
    }
    packing.offsets[item] = offset;
    packing.bytes = std::max(packing.bytes, offset + size);
  }
  return packing;
}

void repair(const Problem& problem, std::int64_t rounds, Clock::time_point deadline, std::uint64_t seed, Packing& best) {
  std::mt19937_64 random(seed);
  const auto& items = problem.items;
  std::vector<double> blame(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    blame[i] =
        std::log2(1.0 + static_cast<double>(items[i].size)) + std::log2(1.0 + static_cast<double>(duration(items[i])));
  }
  Order order(items.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t round = 0; round < rounds && best.bytes > problem.goal && Clock::now() < deadline; ++round) {
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return blame[static_cast<std::size_t>(a)] > blame[static_cast<std::size_t>(b)];
    });
    auto packing = place_in_order(problem, order);
    const auto limit = std::max(problem.goal, std::min(packing.bytes, best.bytes) - 1);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const double noise = static_cast<double>(random() % 1000) / 1000.0;
      if (packing.offsets[i] + items[i].size > limit)
        blame[i] += 0.5 + noise;
      else if (random() % 64 == 0)
        blame[i] += noise - 0.5;  // leave cycles
    }
    if (packing.bytes < best.bytes) best = std::move(packing);
  }
}

}  // namespace packing

std::int64_t max_live(std::span<const PackItem> items, std::int64_t alignment) {
  struct Event {
    std::int32_t step;
    bool begins;
    std::int64_t bytes;
  };
  std::vector<Event> events;
  events.reserve(2 * items.size());
  std::int64_t padding = 0;  // of the item on top, which need not exist
  for (const auto& item : items) {
    const auto bytes = (item.size + alignment - 1) / alignment * alignment;
    padding = std::max(padding, bytes - item.size);
    events.push_back({item.lower, true, bytes});
    events.push_back({item.upper, false, bytes});
  }
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.step != b.step ? a.step < b.step : a.begins < b.begins; });
  std::int64_t live = 0;
  std::int64_t most = 0;
  for (const auto& event : events) {
    live += event.begins ? event.bytes : -event.bytes;
    most = std::max(most, live);
  }
  return std::max<std::int64_t>(0, most - padding);
}

Packing pack_in_order(std::span<const PackItem> items, std::span<const std::int32_t> order, std::int64_t alignment) {
  return packing::place_in_order(packing::make_problem(items, alignment, 0), order);
}

Packing pack(std::span<const PackItem> items, const PackOptions& options) {
  using packing::Clock;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].size < 0 || items[i].lower >= items[i].upper) {
      throw InputError("[pack] buffer " + std::to_string(i) + ": expected a size of at least 0 and lower < upper");
    }
  }
  const auto bound = max_live(items, options.alignment);
  const auto problem = packing::make_problem(items, options.alignment, std::max(bound, options.capacity));
  Packing best;
  best.bytes = std::numeric_limits<std::int64_t>::max();
  for (int which = 0; which < 5 && best.bytes > problem.goal; ++which) {
    auto packing = packing::place_in_order(problem, packing::greedy_order(items, which));
    if (packing.bytes < best.bytes) best = std::move(packing);
  }
  const bool timed = options.time_limit_s > 0;
  const auto deadline =
      timed ? Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.time_limit_s))
            : Clock::time_point::max();
  bool complete = false;
  for (std::int64_t turn = 0; best.bytes > problem.goal && !complete; ++turn) {
    const auto effort = std::int64_t{1} << std::min<std::int64_t>(turn, 20);
    packing::repair(problem, options.repairs * effort, deadline, static_cast<std::uint64_t>(turn) + 1, best);
    if (best.bytes > problem.goal) {
      complete = packing::branch_and_bound(problem, options.node_limit * effort, deadline, best);
    }
    if (!timed || Clock::now() >= deadline) break;
  }
  best.optimal = complete || best.bytes <= bound;
  return best;
}

}  // namespace tinynas
