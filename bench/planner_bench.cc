// How many tight packing problems the planner solves within a time limit, by kind of problem.
//
//   build/release/bench/planner_bench [problems of each kind, 40] [seconds each, 10]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "oracle/challenge_instances.h"
#include "oracle/packing/planner.h"

namespace {

using namespace tinynas;
using testing::Challenge;
using testing::ChallengeMaker;

struct Kind {
  const char* name;
  Challenge (ChallengeMaker::*make)();
};

constexpr Kind kKinds[] = {{"cut", &ChallengeMaker::cut},
                           {"cut, buffers taken out", &ChallengeMaker::cut_with_gaps},
                           {"cut, lifetimes shortened", &ChallengeMaker::cut_and_shortened},
                           {"heavy-tailed (may be infeasible)", &ChallengeMaker::heavy_tailed},
                           {"refilled", &ChallengeMaker::refilled}};

/// Of the process: with one thread of search, what the search took whatever else runs.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::max(1, std::atoi(argv[1])) : 40;
  const double limit = argc > 2 ? std::atof(argv[2]) : 10;
  std::printf("capacity exactly enough, one thread, %g s each\n%-34s %8s %10s %10s\n", limit, "kind", "solved", "mean s",
              "most s");
  for (const auto& kind : kKinds) {
    int solved = 0;
    double sum = 0;
    double most = 0;
    for (int i = 0; i < count; ++i) {
      ChallengeMaker maker(static_cast<std::uint64_t>(i));
      const auto challenge = (maker.*kind.make)();
      const auto start = processor_seconds();
      const auto packing =
          pack(challenge.items, {.alignment = 1, .capacity = challenge.capacity, .time_limit_s = limit, .threads = 1});
      const auto seconds = processor_seconds() - start;
      if (packing.bytes > challenge.capacity) continue;
      ++solved;
      sum += seconds;
      most = std::max(most, seconds);
    }
    std::printf("%-34s %3d / %-3d %9.2f %10.2f\n", kind.name, solved, count, sum / std::max(1, solved), most);
  }
  return 0;
}
