// Flash as the oracle counts it, from shapes, against the constants that the generator writes.
#include "oracle/streaming/constants.h"

#include <gtest/gtest.h>

#include <numeric>

#include "codegen/project.h"
#include "codegen/whole_plan.h"
#include "graph/formats.h"
#include "graph/operators.h"
#include "random_network.h"
#include "random_values.h"
#include "space/build_graph.h"
#include "space/sample.h"
#include "space/spaces.h"

namespace tinynas::testing {
namespace {

struct Case {
  const char* core;
  Prefer prefer;
  Format format = Format::w8a8;
};

/// Outputs behind an activation get what calibration gives them: all of int8.
void use_full_range(Graph& graph) {
  for (const auto& op : graph.operators) {
    if (fused_activation(op.kind) == Activation::none) continue;
    graph.tensors[static_cast<std::size_t>(op.outputs[0])].quantization = {{6.0F / 255}, {-128}, 0};
  }
}

/// Weights as `format` says, the values that stood there less precise.
void use_format(Graph& graph, Format format) {
  const auto formats = uniform_formats(graph, format);
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    if (!has_weights(graph.operators[i]) || weight_bits(formats[i]) == 8) continue;
    auto& weights = graph.tensors[static_cast<std::size_t>(graph.operators[i].inputs[1])];
    std::vector<std::uint8_t> packed((weights.data.size() + 1) / 2, 0);
    for (std::size_t v = 0; v < weights.data.size(); ++v) {
      const auto value = static_cast<std::int8_t>(weights.data[v]) / 19;
      packed[v / 2] |= static_cast<std::uint8_t>((value & 15) << (v % 2 * 4));
    }
    weights.dtype = DType::s4;
    weights.data = std::move(packed);
  }
}

class Constants : public ::testing::TestWithParam<Case> {};

TEST_P(Constants, OfRandomArchsAreThoseThatTheOracleCounts) {
  const auto [core, prefer, format] = GetParam();
  const auto space = cifar_space();
  const auto oracle = make_oracle("streaming", {.prefer = prefer, .core = core});
  Rng rng(11);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto arch = sample(space, space.resolutions[i % 3], space.widths[i / 2], rng);
    const auto sizes = build_graph(space, arch);
    auto graph = with_random_values(sizes, i);
    use_full_range(graph);
    use_format(graph, format);
    const auto project = generate_project(graph, *oracle->plan(graph), {.name = "net", .core = core, .prefer = prefer});
    const auto cost = oracle->cost(in_formats(sizes, uniform_formats(sizes, format)));
    EXPECT_EQ(cost.flash_bytes, project.weights_bytes) << "network " << i;
    std::int64_t layers = 0;
    for (const auto& layer : cost.layers) layers += layer.flash_bytes;
    EXPECT_EQ(layers, cost.flash_bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, Constants,
                         ::testing::Values(Case{"", Prefer::memory}, Case{"cortex-m3", Prefer::speed},
                                           Case{"cortex-m4", Prefer::speed}, Case{"cortex-m7", Prefer::speed},
                                           Case{"cortex-m7", Prefer::memory}, Case{"cortex-m33", Prefer::speed},
                                           Case{"cortex-m55", Prefer::speed}, Case{"cortex-m55", Prefer::memory},
                                           Case{"", Prefer::memory, Format::w4a8},
                                           Case{"cortex-m7", Prefer::speed, Format::w4a8},
                                           Case{"cortex-m55", Prefer::speed, Format::w4a8}));

/// Every operator, under every schedule, in portable C.
TEST(Constants, OfRandomNetworksAreThoseThatTheOracleCounts) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto graph = seed % 3 == 0 ? random_packed_network(seed) : random_network(seed);
    ScheduleOptions options;
    options.image_streamed = false;
    options.prefer = seed % 2 == 0 ? Prefer::memory : Prefer::speed;
    for (const auto* schedule : {"streaming", "layerwise", "tinyengine"}) {
      const bool streams = std::string(schedule) == "streaming";
      const auto plan = streams ? *make_oracle(schedule, options)->plan(graph) : whole_tensor_plan(graph, schedule, options);
      const auto bytes = constant_bytes({graph, make_row_graph(graph), options}, plan);
      const auto project = generate_project(graph, plan, ProgramOptions{});
      EXPECT_EQ(std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0}), project.weights_bytes)
          << "seed " << seed << ", " << schedule;
    }
  }
}

}  // namespace
}  // namespace tinynas::testing
