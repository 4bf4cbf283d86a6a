#include "oracle/packing/planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>

#include "graph/error.h"
#include "oracle/packing/fit.h"
#include "oracle/packing/packing.h"

namespace tinynas {
namespace packing {
namespace {

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

/// Items of the most contended steps first; among those of one step the last born first, so that what it is written over can
/// be placed above it.
Order contended_order(const Problem& problem) {
  const auto& items = problem.items;
  std::vector<std::int64_t> contention(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto load = items[i].size;  // at the item's first step; the most contended step is some item's first
    for (const auto& other : problem.neighbours[i]) {
      const auto& o = items[static_cast<std::size_t>(other.item)];
      if (o.lower <= items[i].lower && items[i].lower < o.upper) load += std::min(o.size, other.over);
    }
    contention[i] = std::max(contention[i], load);
    for (const auto& other : problem.neighbours[i]) {
      const auto o = static_cast<std::size_t>(other.item);
      if (items[o].lower <= items[i].lower && items[i].lower < items[o].upper) contention[o] = std::max(contention[o], load);
    }
  }
  Order order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    const auto i = static_cast<std::size_t>(a);
    const auto j = static_cast<std::size_t>(b);
    if (contention[i] != contention[j]) return contention[i] > contention[j];
    if (items[i].lower != items[j].lower) return items[i].lower > items[j].lower;
    return items[i].size > items[j].size;
  });
  return order;
}

constexpr int kGreedyOrders = 7;

Order greedy_order(const Problem& problem, int which) {
  const auto items = problem.items;
  switch (which) {
    case 0:
      return order_by(items, [](const PackItem& i) { return i.size; });
    case 1:
      return order_by(items, [](const PackItem& i) { return i.size * duration(i); });
    case 2:
      return order_by(items, duration);
    case 3:
      return order_by(items, [](const PackItem& i) { return -std::int64_t{i.lower}; });
    case 4:
      return contended_order(problem);
    case 5:
      return order_by(items, [](const PackItem& i) { return std::int64_t{i.lower}; });
    default:
      return order_by(items, [](const PackItem& i) { return std::int64_t{i.upper}; });
  }
}

}  // namespace

Problem make_problem(std::span<const PackItem> items, std::int64_t alignment, std::int64_t goal,
                     std::span<const PackOverlap> overlaps) {
  Problem problem{items, alignment, goal, std::vector<std::vector<Neighbour>>(items.size())};
  const auto distance = [&](std::int32_t below, std::int32_t above) {
    for (const auto& overlap : overlaps) {
      if (overlap.below == below && overlap.above == above) return overlap.distance;
    }
    return items[static_cast<std::size_t>(below)].size;
  };
  std::vector<std::int32_t> by_start(items.size());
  std::iota(by_start.begin(), by_start.end(), 0);
  std::sort(by_start.begin(), by_start.end(), [&](std::int32_t a, std::int32_t b) {
    return items[static_cast<std::size_t>(a)].lower < items[static_cast<std::size_t>(b)].lower;
  });
  for (std::size_t i = 0; i < by_start.size(); ++i) {
    const auto a = by_start[i];
    for (std::size_t j = i + 1; j < by_start.size(); ++j) {
      const auto b = by_start[j];
      if (items[static_cast<std::size_t>(b)].lower >= items[static_cast<std::size_t>(a)].upper) break;
      const auto a_over_b = distance(b, a);
      const auto b_over_a = distance(a, b);
      problem.neighbours[static_cast<std::size_t>(a)].push_back({b, a_over_b, b_over_a});
      problem.neighbours[static_cast<std::size_t>(b)].push_back({a, b_over_a, a_over_b});
    }
  }
  return problem;
}

Packing place_in_order(const Problem& problem, std::span<const std::int32_t> order) {
  struct Forbidden {  // starts strictly between
    std::int64_t low, high;
  };
  Packing packing;
  packing.offsets.assign(problem.items.size(), -1);
  std::vector<Forbidden> forbidden;
  for (const auto index : order) {
    const auto item = static_cast<std::size_t>(index);
    forbidden.clear();
    for (const auto& other : problem.neighbours[item]) {
      const auto offset = packing.offsets[static_cast<std::size_t>(other.item)];
      if (offset >= 0) forbidden.push_back({offset - other.under, offset + other.over});
    }
    std::sort(forbidden.begin(), forbidden.end(), [](const Forbidden& a, const Forbidden& b) { return a.low < b.low; });
    std::int64_t offset = 0;
    for (const auto& range : forbidden) {
      if (range.low >= offset) break;
      offset = std::max(offset, problem.round_up(range.high));
    }
    packing.offsets[item] = offset;
    packing.bytes = std::max(packing.bytes, offset + problem.items[item].size);
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

std::int64_t max_live(std::span<const PackItem> items, std::int64_t alignment, std::span<const PackOverlap> overlaps) {
  struct Event {
    std::int32_t step;
    bool begins;
    std::int64_t bytes;
  };
  std::vector<Event> events;
  events.reserve(2 * (items.size() + overlaps.size()));
  std::int64_t padding = 0;  // of the item on top, which need not exist
  for (const auto& item : items) {
    const auto bytes = (item.size + alignment - 1) / alignment * alignment;
    padding = std::max(padding, bytes - item.size);
    events.push_back({item.lower, true, bytes});
    events.push_back({item.upper, false, bytes});
  }
  for (const auto& overlap : overlaps) {
    const auto& below = items[static_cast<std::size_t>(overlap.below)];
    const auto& above = items[static_cast<std::size_t>(overlap.above)];
    const auto rounded = [&](std::int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
    const auto saved = std::min(rounded(below.size) - rounded(overlap.distance), rounded(above.size));
    if (saved <= 0 || below.lower >= above.upper || above.lower >= below.upper) continue;
    events.push_back({std::max(below.lower, above.lower), true, -saved});
    events.push_back({std::min(below.upper, above.upper), false, -saved});
  }
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.step != b.step ? a.step < b.step : a.begins < b.begins; });
  std::int64_t live = 0;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    live += events[i].begins ? events[i].bytes : -events[i].bytes;
    if (i + 1 == events.size() || events[i + 1].step != events[i].step) most = std::max(most, live);
  }
  return std::max<std::int64_t>(0, most - padding);
}

Packing pack_in_order(std::span<const PackItem> items, std::span<const std::int32_t> order, std::int64_t alignment) {
  return packing::place_in_order(packing::make_problem(items, alignment, 0), order);
}

Packing pack(std::span<const PackItem> items, const PackOptions& options, std::span<const PackOverlap> overlaps) {
  using packing::Clock;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].size < 0 || items[i].lower >= items[i].upper) {
      throw InputError("[pack] buffer " + std::to_string(i) + ": expected a size of at least 0 and lower < upper");
    }
  }
  const auto bound = max_live(items, options.alignment, overlaps);
  const auto problem = packing::make_problem(items, options.alignment, std::max(bound, options.capacity), overlaps);
  Packing best;
  best.bytes = std::numeric_limits<std::int64_t>::max();
  for (int which = 0; which < packing::kGreedyOrders && best.bytes > problem.goal; ++which) {
    auto packing = packing::place_in_order(problem, packing::greedy_order(problem, which));
    if (packing.bytes < best.bytes) best = std::move(packing);
  }
  const bool timed = options.time_limit_s > 0;
  const auto deadline =
      timed ? Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.time_limit_s))
            : Clock::time_point::max();
  bool complete = false;
  if (timed && overlaps.empty() && best.bytes > problem.goal) {
    const auto verdict = packing::fit(problem, deadline, options.threads, best);
    // Impossible at a capacity is the answer; impossible at the bound leaves the least possible to be found.
    complete = verdict == packing::Verdict::impossible && options.capacity >= bound;
  }
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
