// Candidates per second on one core, for every schedule: random networks of the MCUNet space, building the graph included
// and not.
//
//   build/release/bench/oracle_bench [networks]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "oracle/oracle.h"
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

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? static_cast<std::size_t>(std::max(1, std::atoi(argv[1]))) : 500;
  const auto space = mcunet_space();
  Rng rng(1);
  std::vector<Arch> archs;
  for (std::size_t i = 0; i < count; ++i) {
    archs.push_back(sample(space, space.resolutions[i % 3], space.widths[i / 3 % 3], rng));
  }
  auto start = std::clock();
  std::vector<Graph> graphs;
  for (const auto& arch : archs) graphs.push_back(build_graph(space, arch));
  const auto build = seconds_since(start) / static_cast<double>(count);
  std::printf("%-12s %10s %16s %22s\n", "schedule", "us", "candidates/s", "with the graph's build");
  for (const auto& name : oracle_names()) {
    const auto oracle = make_oracle(name, {});
    std::int64_t sum = 0;
    start = std::clock();
    for (const auto& graph : graphs) sum += oracle->cost(graph).sram_bytes;
    const auto cost = seconds_since(start) / static_cast<double>(count);
    std::printf("%-12s %10.1f %16.0f %22.0f   mean SRAM %lld B\n", name.c_str(), 1e6 * cost, 1 / cost, 1 / (cost + build),
                static_cast<long long>(sum / static_cast<std::int64_t>(count)));
  }
  return 0;
}
