// The packer: valid always, optimal where a naive search can tell.
#include "oracle/planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "graph/error.h"
#include "oracle/oracle.h"
#include "oracle/random_graphs.h"

namespace tinynas::testing {
namespace {

void expect_valid(const std::vector<PackItem>& items, const Packing& packing, std::int64_t alignment) {
  ASSERT_EQ(packing.offsets.size(), items.size());
  std::int64_t top = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    ASSERT_GE(packing.offsets[i], 0);
    ASSERT_EQ(packing.offsets[i] % alignment, 0);
    top = std::max(top, packing.offsets[i] + items[i].size);
    for (std::size_t j = 0; j < i; ++j) {
      const bool in_time = items[i].lower < items[j].upper && items[j].lower < items[i].upper;
      const bool in_space =
          packing.offsets[i] < packing.offsets[j] + items[j].size && packing.offsets[j] < packing.offsets[i] + items[i].size;
      ASSERT_FALSE(in_time && in_space) << "buffers " << i << " and " << j;
    }
  }
  ASSERT_EQ(packing.bytes, top);
}

/// The least bytes of all first-fit placements over all orders: one of them is optimal.
std::int64_t naive_best(const std::vector<PackItem>& items, std::int64_t alignment) {
  std::vector<std::int32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  auto best = std::numeric_limits<std::int64_t>::max();
  do {
    best = std::min(best, pack_in_order(items, order, alignment).bytes);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

std::vector<PackItem> random_items(std::mt19937_64& random, std::size_t count, std::int32_t steps, std::int64_t largest) {
  std::vector<PackItem> items(count);
  for (auto& item : items) {
    item.lower = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(steps));
    item.upper = item.lower + 1 + static_cast<std::int32_t>(random() % 5);
    item.size = static_cast<std::int64_t>(1 + random() % static_cast<std::uint64_t>(largest));
  }
  return items;
}

TEST(Planner, IsOptimalOnSmallInstances) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 400; ++i) {
    const auto items = random_items(random, 1 + random() % 7, 6, 20);
    for (const std::int64_t alignment : {1, 4}) {
      const auto packing = pack(items, {.alignment = alignment});
      expect_valid(items, packing, alignment);
      EXPECT_TRUE(packing.optimal);
      EXPECT_EQ(packing.bytes, naive_best(items, alignment));
      EXPECT_GE(packing.bytes, max_live(items, alignment));
    }
  }
}

TEST(Planner, BranchAndBoundAloneIsOptimal) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 400; ++i) {
    const auto items = random_items(random, 1 + random() % 7, 6, 20);
    const auto packing = pack(items, {.repairs = 0});
    expect_valid(items, packing, 4);
    EXPECT_TRUE(packing.optimal);
    EXPECT_EQ(packing.bytes, naive_best(items, 4));
  }
}

TEST(Planner, FindsThePackingThatGreedyOrdersMiss) {
  //   8 |  B B B B
  //   4 |  A A C C     A and D would strand C if D went below
  //   0 |  D D D .
  const std::vector<PackItem> items{{4, 0, 2}, {4, 0, 4}, {4, 2, 4}, {4, 0, 3}};
  const auto packing = pack(items);
  expect_valid(items, packing, 4);
  EXPECT_EQ(packing.bytes, 12);
}

/// An arena cut into rectangles without a gap: capacity is exactly tight.
std::vector<PackItem> tight_instance(std::mt19937_64& random, std::size_t count, std::int64_t capacity, std::int32_t steps) {
  struct Rectangle {
    std::int64_t low, high;
    std::int32_t lower, upper;
  };
  std::vector<Rectangle> pieces{{0, capacity, 0, steps}};
  while (pieces.size() < count) {
    auto& piece = pieces[random() % pieces.size()];
    auto other = piece;
    if (random() % 2 == 0 && piece.high - piece.low > 8) {
      const auto choices = static_cast<std::uint64_t>((piece.high - piece.low) / 4 - 1);
      const auto cut = piece.low + 4 * (1 + static_cast<std::int64_t>(random() % choices));
      piece.high = cut;
      other.low = cut;
    } else if (piece.upper - piece.lower > 1) {
      const auto cut =
          piece.lower + 1 + static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(piece.upper - piece.lower - 1));
      piece.upper = cut;
      other.lower = cut;
    } else {
      continue;
    }
    pieces.push_back(other);
  }
  std::vector<PackItem> items;
  for (const auto& piece : pieces) items.push_back({piece.high - piece.low, piece.lower, piece.upper});
  std::shuffle(items.begin(), items.end(), random);
  return items;
}

TEST(Planner, SolvesLargeInstancesWithSomeSlack) {
  std::mt19937_64 random(3);
  int solved = 0;
  for (int i = 0; i < 20; ++i) {
    const auto items = tight_instance(random, 250, 1 << 20, 300);
    const auto capacity = max_live(items) * 110 / 100;
    const auto packing = pack(items, {.capacity = capacity, .repairs = 3000});
    expect_valid(items, packing, 4);
    solved += packing.bytes <= capacity ? 1 : 0;
  }
  EXPECT_GE(solved, 16);
}

TEST(Planner, ProvesThatNothingFitsBelowTheBound) {
  const std::vector<PackItem> items{{8, 0, 2}, {8, 1, 3}};
  const auto packing = pack(items, {.capacity = 12});
  EXPECT_TRUE(packing.optimal);
  EXPECT_EQ(packing.bytes, 16);
}

TEST(Planner, PacksTheArenasOfRandomGraphsOptimally) {
  int optimal = 0;
  constexpr int kGraphs = 1000;
  for (std::uint64_t seed = 0; seed < kGraphs; ++seed) {
    const auto plan = *make_oracle("streaming", {})->plan(random_graph(seed));
    std::vector<PackItem> items;
    for (const auto& buffer : plan.buffers) items.push_back({buffer.bytes, buffer.first_segment, buffer.last_segment + 1});
    optimal += pack(items).optimal ? 1 : 0;
  }
  EXPECT_EQ(optimal, kGraphs);
}

TEST(Planner, RefusesLifetimesThatEndBeforeTheyBegin) {
  const std::vector<PackItem> items{{8, 3, 3}};
  EXPECT_THROW((void)pack(items), InputError);
}

}  // namespace
}  // namespace tinynas::testing
