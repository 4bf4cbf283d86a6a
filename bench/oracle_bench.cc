// Candidates per second on one core, for every schedule: random networks of the MCUNet space, by the oracle (building the
// graph included and not) and, where there are tables, from them; and the time of stage 1. Processor time.
//
//   build/release/bench/oracle_bench [networks]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "oracle/oracle.h"
#include "search/score_table.h"
#include "search/stage1.h"
#include "space/build_graph.h"
#include "space/rng.h"
#include "space/sample.h"

namespace {

using namespace tinynas;
/// memory_model: widths 32, 16, 24, 40, 80, 96, 192, 320; five elastic stages and a last one of one block.
SearchSpace mcunet_space() {
  SearchSpace space;
  space.name = "mcunet";
  space.resolutions = {144, 160, 176};
  space.widths = {0.4, 0.5, 0.6};
  space.stem = {32, 3, 2};
  space.first_block = {16, 3, 1, 1};
  const std::int32_t channels[] = {24, 40, 80, 96, 192, 320};
  const std::int32_t strides[] = {2, 2, 2, 1, 2, 1};
  for (int s = 0; s < 6; ++s) {
    const bool last = s == 5;
    space.stages.push_back({channels[s],
                            strides[s],
                            last ? std::vector<std::int32_t>{1} : std::vector<std::int32_t>{2, 3, 4},
                            {3, 5, 7},
                            {3, 4, 6}});
  }
  return space;
}

/// Processor time, so that other programs do not count.
double seconds_since(std::clock_t start) { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; }

constexpr std::size_t kTableNetworks = 20'000;  // more than a processor's caches and predictors remember
const ScheduleOptions kOptions{.prefer = Prefer::speed, .core = ""};
const ScheduleOptions kPixels{.prefer = Prefer::memory, .core = ""};

void time_table(const std::string& title, const SearchSpace& space, const Oracle& oracle, const std::vector<Arch>& archs) {
  constexpr int kRounds = 5;
  const auto table = ScoreTable::make(space, oracle);
  if (!table) return;
  std::int64_t sum = 0;
  for (const auto& arch : archs) sum += table->score(arch).sram_bytes;  // builds the tables
  const auto start = std::clock();
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& arch : archs) sum += table->score(arch).sram_bytes;
  }
  const auto each = seconds_since(start) / (kRounds * static_cast<double>(archs.size()));
  std::printf("%-30s %10.2f %16.0f   mean SRAM %lld B\n", title.c_str(), 1e6 * each, 1 / each,
              static_cast<long long>(sum / ((kRounds + 1) * static_cast<std::int64_t>(archs.size()))));
}

std::vector<Arch> random_archs(const SearchSpace& space, std::size_t count) {
  Rng rng(1);
  std::vector<Arch> archs;
  for (std::size_t i = 0; i < count; ++i) {
    archs.push_back(sample(space, space.resolutions[i % 3], space.widths[i / 3 % 3], rng));
  }
  return archs;
}

/// 108 subspaces of 1000 networks, tables built on the way.
void time_stage1(const Oracle& oracle) {
  auto space = mcunet_space();
  space.resolutions.clear();
  space.widths.clear();
  for (std::int32_t r = 48; r <= 224; r += 16) space.resolutions.push_back(r);
  for (std::int32_t w = 2; w <= 10; ++w) space.widths.push_back(w / 10.0);
  Limits limits;
  limits.sram_bytes = 320 << 10;
  limits.flash_bytes = 1 << 20;
  limits.overhead = {30 << 10, 100 << 10};
  const auto start = std::clock();
  const auto result = stage1(space, oracle, limits, {});
  const auto& winner = result.subspaces[result.winner.value_or(0)];
  std::printf("stage 1, %s: %.2f s of processor time on all threads, winner w%g-r%d, mean %.1f MFLOPs\n",
              oracle.name().c_str(), seconds_since(start), winner.width, winner.resolution, winner.mean_flops / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? static_cast<std::size_t>(std::max(1, std::atoi(argv[1]))) : 500;
  const auto space = mcunet_space();
  const auto archs = random_archs(space, count);
  auto start = std::clock();
  std::vector<Graph> graphs;
  for (const auto& arch : archs) graphs.push_back(build_graph(space, arch));
  const auto build = seconds_since(start) / static_cast<double>(count);
  std::printf("%-30s %10s %16s %22s\n", "schedule", "us", "candidates/s", "with the graph's build");
  const auto time_oracle = [&](const std::string& title, const Oracle& oracle) {
    std::int64_t sum = 0;
    start = std::clock();
    for (const auto& graph : graphs) sum += oracle.cost(graph).sram_bytes;
    const auto cost = seconds_since(start) / static_cast<double>(count);
    std::printf("%-30s %10.1f %16.0f %22.0f   mean SRAM %lld B\n", title.c_str(), 1e6 * cost, 1 / cost, 1 / (cost + build),
                static_cast<long long>(sum / static_cast<std::int64_t>(count)));
  };
  for (const auto& name : oracle_names()) time_oracle(name, *make_oracle(name, kOptions));
  time_oracle("streaming, rings of pixels", *make_oracle("streaming", kPixels));
  std::printf("\n%-30s %10s %16s\n", "from tables", "us", "candidates/s");
  const auto many = random_archs(space, kTableNetworks);
  for (const auto& name : oracle_names()) time_table(name, space, *make_oracle(name, kOptions), many);
  time_table("streaming, rings of pixels", space, *make_oracle("streaming", kPixels), many);
  std::printf("\n");
  for (const auto& name : {"tinyengine", "streaming"}) time_stage1(*make_oracle(name, kOptions));
  return 0;
}
