#include "search/pareto.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/error.h"
#include "search/rank.h"
#include "space/rng.h"

namespace tinynas {
namespace {

//  2 |  a . .        reference (3, 3): a = (0, 2), b = (1, 1), c = (2, 0), d = (2, 2) is dominated by b
//  1 |  . b .
//  0 |  . . c
TEST(Pareto, FrontAndRanksOfADrawing) {
  const std::vector<Objectives> points{{0, 2}, {1, 1}, {2, 0}, {2, 2}, {1, 1}};
  EXPECT_EQ(pareto_front(points), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(pareto_ranks(points), (std::vector<std::size_t>{0, 0, 0, 1, 0}));
  EXPECT_DOUBLE_EQ(hypervolume(points, {3, 3}), 6);  // 3 + 2 + 1 unit squares
  EXPECT_DOUBLE_EQ(hypervolume(points, {0, 0}), 0);
  EXPECT_DOUBLE_EQ(hypervolume(std::vector<Objectives>{}, {1, 1}), 0);
  EXPECT_THROW((void)hypervolume(points, {1, 1, 1}), InputError);
}

TEST(Pareto, CrowdingPrefersTheEndsAndTheLonely) {
  const std::vector<Objectives> front{{0, 10}, {1, 9}, {2, 8}, {9, 1}, {10, 0}};
  const std::vector<double> distance = crowding(front);
  EXPECT_TRUE(std::isinf(distance[0]));
  EXPECT_TRUE(std::isinf(distance[4]));
  EXPECT_GT(distance[3], distance[1]);
}

TEST(Pareto, HypervolumeEqualsCounting) {
  // Random points on a grid, against counting the dominated unit cells.
  Rng rng(5);
  for (int round = 0; round < 20; ++round) {
    std::vector<Objectives> points;
    for (int i = 0; i < 12; ++i) {
      points.push_back(
          {static_cast<double>(rng.below(6)), static_cast<double>(rng.below(6)), static_cast<double>(rng.below(6))});
    }
    int cells = 0;
    for (int x = 0; x < 5; ++x) {
      for (int y = 0; y < 5; ++y) {
        for (int z = 0; z < 5; ++z) {
          bool covered = false;
          for (const Objectives& p : points) covered = covered || (p[0] <= x && p[1] <= y && p[2] <= z);
          cells += covered;
        }
      }
    }
    EXPECT_DOUBLE_EQ(hypervolume(points, {5, 5, 5}), cells);
  }
}

TEST(Rank, KendallByHand) {
  const std::vector<double> a{1, 2, 3, 4}, b{1, 3, 2, 4}, reversed{4, 3, 2, 1}, constant{1, 1, 1, 1}, tied{1, 1, 2, 3};
  EXPECT_DOUBLE_EQ(kendall_tau(a, a), 1);
  EXPECT_DOUBLE_EQ(kendall_tau(a, reversed), -1);
  EXPECT_DOUBLE_EQ(kendall_tau(a, b), 4.0 / 6);
  EXPECT_DOUBLE_EQ(kendall_tau(a, constant), 0);
  EXPECT_DOUBLE_EQ(kendall_tau(a, tied), 5 / std::sqrt(6.0 * 5));
  EXPECT_DOUBLE_EQ(root_mean_square_error(a, b), std::sqrt(0.5));
}

}  // namespace
}  // namespace tinynas
