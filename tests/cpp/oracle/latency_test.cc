// The latency model of our engine: what is counted, what the committed factors make of it.
#include "oracle/kernels/latency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "graph/error.h"
#include "graph/formats.h"
#include "graph/json.h"
#include "space/network_builder.h"

namespace tinynas::testing {
namespace {

const std::string kSource = TINYNAS_SOURCE_DIR;
constexpr double kWorstError = 0.15;  // that a model may have on a network

std::string read_text(const std::string& path) {
  std::ifstream stream(kSource + "/" + path);
  EXPECT_TRUE(stream) << path;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

double term(const KernelWork& work, Term term) { return work.terms[static_cast<std::size_t>(term)]; }

/// 16x16x3 -> conv 3x3 s2 -> 8x8x8 -> 1x1 -> 8x8x24 -> depthwise 3x3 -> 1x1 -> 8x8x6.
Graph bottleneck() {
  NetworkBuilder net("bottleneck", 16, 3);
  net.conv("stem", 8, 3, 2, Activation::relu6);
  net.conv("expand", 24, 1, 1, Activation::relu6);
  net.depthwise("depthwise", 3, 1, Activation::relu6);
  net.conv("project", 6, 1, 1, Activation::none);
  return net.take();
}

std::vector<KernelWork> work_of(const Graph& graph, const std::string& schedule, const ScheduleOptions& options) {
  return kernel_work(graph, make_oracle(schedule, options)->plan(graph).value(), options.core);
}

TEST(KernelWork, CountsBlocksOfTheDspKernels) {
  const auto work = work_of(bottleneck(), "layerwise", {.prefer = Prefer::memory, .core = "cortex-m7"});
  ASSERT_EQ(work.size(), 4U);
  EXPECT_EQ(work[0].kernel, "conv2d");
  EXPECT_EQ(work[1].kernel, "pointwise");
  EXPECT_EQ(work[2].kernel, "depthwise_3x3_s1");
  EXPECT_EQ(work[3].kernel, "pointwise_linear");
  // Rows of 8 pixels one by one: two blocks of four times 12 pairs of channels, 4 steps of two input channels each.
  EXPECT_EQ(term(work[1], Term::call), 8);
  EXPECT_EQ(term(work[1], Term::block), 8 * 2 * 12);
  EXPECT_EQ(term(work[1], Term::block_step), 8 * 2 * 12 * 4);
  EXPECT_EQ(term(work[1], Term::part), 0);
  EXPECT_EQ(term(work[1], Term::mac), 64 * 8 * 24);
  // 24 channels, rows of two blocks; the rows above and below the map are not gathered.
  EXPECT_EQ(term(work[2], Term::block), 24 * 8 * 2);
  EXPECT_EQ(term(work[2], Term::gather), 24 * (2 + 6 * 3 + 2));
  // The first column and the first row meet padding (SAME: one row and column, above and left).
  EXPECT_EQ(term(work[0], Term::block), 8 * 2 * 4);
  EXPECT_GT(term(work[0], Term::border), 0);
}

TEST(KernelWork, FollowsThePlan) {
  const auto graph = bottleneck();
  const auto slow = work_of(graph, "streaming", {.prefer = Prefer::memory, .core = "cortex-m7"});
  const auto fast = work_of(graph, "streaming", {.prefer = Prefer::speed, .core = "cortex-m7"});
  EXPECT_LT(term(fast[3], Term::call), term(slow[3], Term::call));
  EXPECT_EQ(fast[1].kernel, "pointwise_planar");
  EXPECT_EQ(term(fast[1], Term::separated), 0);  // few inputs: weights of 16 bits
  EXPECT_EQ(fast[2].kernel, "depthwise_3x3_s1_planar");
  EXPECT_EQ(work_of(graph, "streaming", {.prefer = Prefer::speed, .core = "cortex-m3"})[2].kernel, "depthwise_taps");
  EXPECT_EQ(work_of(graph, "streaming", {.prefer = Prefer::speed, .core = "cortex-m55"})[1].kernel, "pointwise_single");
  for (const auto& operation : fast) EXPECT_EQ(operation.driver, "driver");
}

TEST(KernelWork, CountsFoursOfChannelsOfFourBits) {
  const auto graph = in_formats(bottleneck(), {Format::w8a8, Format::w4a4, Format::w4a4, Format::w4a4});
  const auto work = work_of(graph, "layerwise", {.prefer = Prefer::memory, .core = "cortex-m7"});
  EXPECT_EQ(work[0].kernel, "conv2d_o4");
  EXPECT_EQ(work[1].kernel, "pointwise_w4_i4_o4");
  EXPECT_EQ(work[2].kernel, "depthwise_3x3_s1_i4_o4");  // constants as for weights of 8 bits
  EXPECT_EQ(work[3].kernel, "pointwise_linear_w4_i4");  // the graph's output keeps 8 bits
  // Rows of 8 pixels: two blocks times 6 fours of channels, 4 steps that are unpacked for every row.
  EXPECT_EQ(term(work[1], Term::block), 8 * 2 * 6);
  EXPECT_EQ(term(work[1], Term::group_step), 8 * 6 * 4);
  EXPECT_EQ(term(work[3], Term::group_step), 8 * 3 * 12);  // pairs
  const auto weights = in_formats(bottleneck(), {Format::w8a8, Format::w4a8, Format::w4a8, Format::w4a8});
  EXPECT_EQ(work_of(weights, "layerwise", {.core = "cortex-m7"})[1].kernel, "pointwise_w4");
  EXPECT_EQ(work_of(weights, "layerwise", {.core = "cortex-m7"})[2].kernel, "depthwise_3x3_s1");
  EXPECT_EQ(work_of(weights, "layerwise", {.core = "cortex-m3"})[2].kernel, "depthwise_conv2d_w4");
  EXPECT_EQ(work_of(weights, "layerwise", {.core = "cortex-m3"})[1].kernel, "conv2d_portable_w4");
}

TEST(LatencyModel, InstructionsAndLatencyAreTheSumOfTheLayers) {
  const auto model = std::make_shared<LatencyModel>(latency_model_from_json(R"({"core": "cortex-m7",
      "cycles_per_instruction": 0.5, "kernels": {"other": {"output": 2}, "pointwise": {"block_step": 11, "call": 3},
      "driver": {"call": 10}}})"));
  const auto graph = bottleneck();
  ScheduleOptions options{.prefer = Prefer::memory, .core = "cortex-m7", .latency = model, .clock_hz = 100e6};
  const auto cost = make_oracle("layerwise", options)->cost(graph);
  EXPECT_DOUBLE_EQ(cost.layers[1].instructions, 8 * 2 * 12 * 4 * 11 + 8 * 3 + 8 * 10);
  EXPECT_DOUBLE_EQ(cost.layers[2].instructions, 2 * 64 * 24 + 8 * 10);
  double sum = 0;
  for (const auto& layer : cost.layers) {
    EXPECT_DOUBLE_EQ(layer.latency_us, layer.instructions * 0.5 / 100);
    sum += layer.instructions;
  }
  EXPECT_DOUBLE_EQ(cost.instructions, sum);
  EXPECT_DOUBLE_EQ(cost.latency_us, sum * 0.5 / 100);
  options.clock_hz = 0;
  EXPECT_EQ(make_oracle("layerwise", options)->cost(graph).latency_us, 0);
  options.latency = nullptr;
  EXPECT_EQ(make_oracle("layerwise", options)->cost(graph).instructions, 0);
}

TEST(LatencyModel, RefusesWhatIsNoModel) {
  for (const auto* text :
       {"", "[]", R"({"core": "cortex-m7"})", R"({"core": "c", "cycles_per_instruction": 1, "kernels": {}})",
        R"({"core": "c", "cycles_per_instruction": 0, "kernels": {"other": {}}})",
        R"({"core": "c", "cycles_per_instruction": 1, "kernels": {"other": {"bock": 1}}})",
        R"({"core": "c", "cycles_per_instruction": 1, "kernels": {"other": {"block": -1}}})"}) {
    EXPECT_THROW((void)latency_model_from_json(text), InputError) << text;
  }
}

class CommittedModel : public ::testing::TestWithParam<const char*> {};

/// configs/latency against what was measured of a network whose shapes lie beside this file.
TEST_P(CommittedModel, ReproducesWhatWasMeasured) {
  const std::string core = GetParam();
  const auto text = read_text("configs/latency/" + core + ".json");
  const auto json = nlohmann::json::parse(text);
  const auto model = std::make_shared<LatencyModel>(latency_model_from_json(text));
  EXPECT_EQ(model->core, core);
  EXPECT_LE(json.at("held_out_error").at("mean").get<double>(), 0.05);
  EXPECT_LE(json.at("held_out_error").at("worst").get<double>(), kWorstError);
  const auto graph = from_json(read_text("tests/cpp/oracle/mixed_0.json"));
  for (const auto& [plan, schedule, prefer] :
       {std::tuple{"speed", "streaming", Prefer::speed}, std::tuple{"memory", "streaming", Prefer::memory},
        std::tuple{"layerwise", "layerwise", Prefer::speed}}) {
    const ScheduleOptions options{.prefer = prefer, .core = core, .latency = model};
    const auto measured = json.at("measured").at("mixed 0, " + std::string(plan)).get<double>();
    EXPECT_NEAR(make_oracle(schedule, options)->cost(graph).instructions, measured, kWorstError * measured) << plan;
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, CommittedModel,
                         ::testing::Values("cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"));

}  // namespace
}  // namespace tinynas::testing
