// Parts of the packer (planner.h): what its heuristics and its exact search share.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "oracle/packing/planner.h"

namespace tinynas::packing {

using Clock = std::chrono::steady_clock;

/// Another item that lives at the same time, and how far apart the two starts must be.
struct Neighbour {
  std::int32_t item = 0;
  std::int64_t over = 0;   // when this item lies above the other
  std::int64_t under = 0;  // when it lies below
};

/// The items and, for each, those that it overlaps in time.
struct Problem {
  std::span<const PackItem> items;
  std::int64_t alignment = 4;
  std::int64_t goal = 0;  // a packing of at most this is as good as any
  std::vector<std::vector<Neighbour>> neighbours;

  [[nodiscard]] std::int64_t round_up(std::int64_t bytes) const { return (bytes + alignment - 1) / alignment * alignment; }
};

[[nodiscard]] Problem make_problem(std::span<const PackItem> items, std::int64_t alignment, std::int64_t goal,
                                   std::span<const PackOverlap> overlaps = {});

/// Lowest-gap placement in the given order.
[[nodiscard]] Packing place_in_order(const Problem& problem, std::span<const std::int32_t> order);

/// Improves `best` by up to `rounds` rounds of placement, the buffers that ended above the goal (or highest) moving forward
/// in the order after each.
void repair(const Problem& problem, std::int64_t rounds, Clock::time_point deadline, std::uint64_t seed, Packing& best);

/// Improves `best` by branch and bound within `node_limit` nodes. True when the search was complete: nothing is better.
[[nodiscard]] bool branch_and_bound(const Problem& problem, std::int64_t node_limit, Clock::time_point deadline,
                                    Packing& best);

}  // namespace tinynas::packing
