// The packer: valid always, optimal where a naive search can tell.
#include "oracle/packing/planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "graph/error.h"
#include "oracle/challenge_instances.h"
#include "oracle/oracle.h"
#include "oracle/packing/skyline.h"
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

std::int64_t pack_bytes(const std::vector<PackItem>& items, const std::vector<std::int64_t>& offsets) {
  std::int64_t top = 0;
  for (std::size_t i = 0; i < items.size(); ++i) top = std::max(top, offsets[i] + items[i].size);
  return top;
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

TEST(Planner, SkylineSearchDecidesSmallInstances) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 300; ++i) {
    const auto items = random_items(random, 1 + random() % 6, 6, 20);
    for (const std::int64_t alignment : {1, 4}) {
      const auto least = naive_best(items, alignment);
      packing::SkylineSearch enough(items, alignment, least, 1);
      ASSERT_EQ(enough.run(1 << 20, {}), packing::Verdict::found) << "instance " << i;
      expect_valid(items, {enough.offsets(), pack_bytes(items, enough.offsets()), true}, alignment);
      EXPECT_LE(pack_bytes(items, enough.offsets()), least);
      packing::SkylineSearch too_little(items, alignment, least - 1, 1);
      ASSERT_EQ(too_little.run(1 << 20, {}), packing::Verdict::impossible) << "instance " << i;
    }
  }
}

/// The published problems are of this kind: hundreds of buffers, not a byte to spare.
TEST(Planner, SolvesTightChallenges) {
  int solved = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto challenge = ChallengeMaker(seed).cut();
    const auto packing =
        pack(challenge.items, {.alignment = 1, .capacity = challenge.capacity, .time_limit_s = 10, .threads = 2});
    expect_valid(challenge.items, packing, 1);
    solved += packing.bytes <= challenge.capacity ? 1 : 0;
  }
  EXPECT_GE(solved, 19);
}

TEST(Planner, SolvesHeavyTailedChallenges) {
  int solved = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto challenge = ChallengeMaker(seed).heavy_tailed();
    const auto packing =
        pack(challenge.items, {.alignment = 1, .capacity = challenge.capacity, .time_limit_s = 4, .threads = 2});
    expect_valid(challenge.items, packing, 1);
    solved += packing.bytes <= challenge.capacity ? 1 : 0;
  }
#ifdef __SANITIZE_ADDRESS__
  constexpr int kExpected = 6;  // the same seconds hold a fraction of the search
#else
  constexpr int kExpected = 8;
#endif
  EXPECT_GE(solved, kExpected);
}

TEST(Planner, ProvesThatNothingFitsBelowTheBound) {
  const std::vector<PackItem> items{{8, 0, 2}, {8, 1, 3}};
  const auto packing = pack(items, {.capacity = 12});
  EXPECT_TRUE(packing.optimal);
  EXPECT_EQ(packing.bytes, 16);
}

TEST(Planner, PacksTheArenasOfRandomGraphsOptimally) {
  std::uint64_t optimal = 0;
  const std::uint64_t graphs = 1000 * random_cases();
  for (std::uint64_t seed = 0; seed < graphs; ++seed) {
    const auto plan = *make_oracle("streaming", {})->plan(random_graph(seed));
    std::vector<PackItem> items;
    for (const auto& buffer : plan.buffers) items.push_back({buffer.bytes, buffer.first_segment, buffer.last_segment + 1});
    auto packing = pack(items, {.node_limit = 20'000});
    if (!packing.optimal) packing = pack(items, {.capacity = packing.bytes - 4, .time_limit_s = 10, .threads = 1});
    optimal += packing.optimal ? 1 : 0;
  }
  EXPECT_EQ(optimal, graphs);
}

TEST(Planner, RefusesLifetimesThatEndBeforeTheyBegin) {
  const std::vector<PackItem> items{{8, 3, 3}};
  EXPECT_THROW((void)pack(items), InputError);
}

}  // namespace
}  // namespace tinynas::testing
