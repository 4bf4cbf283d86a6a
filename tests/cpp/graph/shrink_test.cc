#include "graph/shrink.h"

#include <gtest/gtest.h>

#include <random>

#include "graph/operators.h"
#include "graph/validate.h"
#include "graph_builder.h"

namespace tinynas {
namespace {

using test::GraphBuilder;
using test::per_tensor;

constexpr float kScale = 0.05F;

/// Appends operators with random int8 weights; biases low enough that a ReLU kills some channels for good.
class RandomNetwork {
 public:
  explicit RandomNetwork(std::uint32_t seed) : rng_(seed) {}

  std::int32_t conv(std::int32_t x, std::int32_t channels, std::int32_t kernel, std::int32_t zero_point,
                    Activation activation) {
    const std::int32_t in = b.graph().tensors[x].shape[3], pad = kernel / 2;
    const auto w = weights({channels, kernel, kernel, in}, 0, channels);
    const Window window{1 + below(2), 1, 1, 1, {pad, pad, pad, pad}};
    return b.op(Conv2D{window, activation}, {x, w, bias(channels, kernel * kernel * in)}, DType::s8,
                per_tensor(kScale, zero_point));
  }
  std::int32_t depthwise(std::int32_t x, std::int32_t kernel, std::int32_t zero_point) {
    const std::int32_t channels = b.graph().tensors[x].shape[3], pad = kernel / 2;
    const auto w = weights({1, kernel, kernel, channels}, 3, channels);
    return b.op(DepthwiseConv2D{{1, 1, 1, 1, {pad, pad, pad, pad}}, Activation::relu},
                {x, w, bias(channels, kernel * kernel)}, DType::s8, per_tensor(kScale, zero_point));
  }
  std::int32_t below(std::int32_t n) { return static_cast<std::int32_t>(rng_() % static_cast<std::uint32_t>(n)); }
  GraphBuilder b;

 private:
  std::int32_t weights(Shape shape, std::int32_t axis, std::int32_t channels) {
    Bytes data(static_cast<std::size_t>(element_count(shape)));
    for (auto& value : data) value = static_cast<std::uint8_t>(static_cast<std::int8_t>(below(11) - 5));
    Quantization q{std::vector<float>(static_cast<std::size_t>(channels), 0.01F),
                   std::vector<std::int32_t>(static_cast<std::size_t>(channels), 0), axis};
    for (float& scale : q.scale) scale *= static_cast<float>(1 + below(5));
    return b.constant(std::move(shape), DType::s8, std::move(data), std::move(q));
  }
  /// A third of the channels lie below what any input can lift.
  std::int32_t bias(std::int32_t channels, std::int32_t terms) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(channels));
    for (auto& value : values) value = below(3) == 0 ? -terms * 5 * 300 : below(2000) - 1000;
    return b.constant({channels}, DType::s32, test::to_bytes(values));
  }
  std::mt19937 rng_;
};

Graph random_network(std::uint32_t seed) {
  RandomNetwork net(seed);
  auto x = net.b.input({1, 9, 8, 3}, DType::s8, per_tensor(kScale, 0));
  // Zero points of −128 fold under padding; 5 does not always.
  const std::int32_t zero = seed % 2 == 0 ? -128 : 5;
  x = net.conv(x, 6, 3, zero, Activation::relu);
  x = net.depthwise(x, 3, zero);
  x = net.conv(x, 6, 1, zero, Activation::relu);
  const auto skip = x;
  x = net.conv(x, 12, 1 + 2 * net.below(2), zero, Activation::relu6);
  x = net.depthwise(x, 3 + 2 * net.below(2), zero);
  const auto y = net.conv(x, 6, 1, -20, Activation::none);
  if (net.b.graph().tensors[y].shape == net.b.graph().tensors[skip].shape)
    x = net.b.op(Add{}, {skip, y}, DType::s8, per_tensor(kScale, zero));
  x = net.conv(x, 10, 1, zero, Activation::relu);
  const Shape shape = net.b.graph().tensors[x].shape;
  x = net.b.op(AveragePool{shape[1], shape[2], {}, {}}, {x}, DType::s8, per_tensor(kScale, zero));
  x = net.b.op(Reshape{}, {x}, DType::s8, per_tensor(kScale, zero), {1, 10});
  const auto w = net.b.constant({4, 10}, DType::s8, Bytes(40, 3), per_tensor(0.02F, 0));
  return net.b.finish({net.b.op(FullyConnected{}, {x, w, -1}, DType::s8, per_tensor(kScale, 3))});
}

void expect_same_outputs(const Graph& a, const Graph& b, std::uint32_t seed) {
  std::mt19937 rng(seed);
  const Interpreter first(a), second(b);
  const auto count = static_cast<std::size_t>(element_count(a.tensors[a.inputs[0]].shape));
  for (std::int32_t i = 0; i < 10; ++i) {
    // The last two are the extremes, where intervals are reached.
    const auto x = i < 8 ? test::random_s8(rng, count) : std::vector<std::int8_t>(count, i == 8 ? -128 : 127);
    ASSERT_EQ(first.run({test::to_bytes(x)}), second.run({test::to_bytes(x)})) << "seed " << seed;
  }
}

TEST(Shrink, RandomNetworksKeepTheirBytes) {
  std::int64_t removed = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const Graph graph = random_network(seed);
    ShrinkReport report;
    const Graph small = shrink(graph, &report);
    expect_same_outputs(graph, small, seed);
    if (HasFatalFailure()) return;
    EXPECT_EQ(report.macs_before, graph_macs(graph));
    EXPECT_EQ(report.macs_after, graph_macs(small));
    EXPECT_LE(report.macs_after, report.macs_before);
    EXPECT_LE(report.weights_after, report.weights_before);
    removed += report.channels_removed;
  }
  EXPECT_GT(removed, 1000);
}

TEST(Shrink, RangesHoldWhatTheInterpreterComputes) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const Graph graph = random_network(seed);
    const std::vector<ChannelRanges> ranges = channel_ranges(graph);
    std::mt19937 rng(seed);
    const auto x = test::random_s8(rng, 9 * 8 * 3);
    const std::vector<Bytes> values = run_all(graph, {test::to_bytes(x)});
    for (std::size_t t = 0; t < values.size(); ++t) {
      if (!ranges[t].known()) continue;
      const std::size_t channels = ranges[t].low.size();
      for (std::size_t i = 0; i < values[t].size(); ++i) {
        const std::int32_t q = static_cast<std::int8_t>(values[t][i]);
        ASSERT_GE(q, ranges[t].low[i % channels]);
        ASSERT_LE(q, ranges[t].high[i % channels]);
      }
    }
  }
}

/// conv 1x1 of two channels, the second constant; then a 3x3 convolution with the given padding.
Graph padded_case(std::int32_t zero_point, std::int32_t second_bias, std::int32_t padding) {
  GraphBuilder b;
  const auto x = b.input({1, 5, 5, 1}, DType::s8, per_tensor(kScale, 0));
  const auto w = b.constant({2, 1, 1, 1}, DType::s8, {3, 0}, per_tensor(kScale, 0));
  const auto bias = b.constant({2}, DType::s32, test::to_bytes(std::vector<std::int32_t>{0, second_bias}));
  const auto y = b.op(Conv2D{}, {x, w, bias}, DType::s8, per_tensor(kScale, zero_point));
  const auto w2 = b.constant({1, 3, 3, 2}, DType::s8, Bytes(18, 2), per_tensor(kScale, 0));
  const Window window{1, 1, 1, 1, {padding, padding, padding, padding}};
  return b.finish({b.op(Conv2D{window, Activation::none}, {y, w2, -1}, DType::s8, per_tensor(0.2F, 0))});
}

TEST(Shrink, PaddingDecidesWhetherAConstantFolds) {
  const auto removed = [](const Graph& graph) {
    ShrinkReport report;
    expect_same_outputs(graph, shrink(graph, &report), 1);
    return report.channels_removed;
  };
  EXPECT_EQ(removed(padded_case(-7, 800, 0)), 1);  // no border: any constant folds
  EXPECT_EQ(removed(padded_case(-7, 800, 1)), 0);  // the border reads zeros instead of the constant
  EXPECT_EQ(removed(padded_case(-7, 0, 1)), 1);    // the constant is the zero point
}

TEST(Shrink, LeavesGraphsWithoutDataAndFloatGraphsAlone) {
  Graph sizes = random_network(3);
  for (Tensor& tensor : sizes.tensors) tensor.data.clear();
  ShrinkReport report;
  EXPECT_EQ(graph_macs(shrink(sizes, &report)), graph_macs(sizes));
  EXPECT_EQ(report.channels_removed, 0);
  GraphBuilder b;
  const auto x = b.input({1, 4, 4, 2}, DType::f32, {});
  const auto w = b.constant({2, 1, 1, 2}, DType::f32, Bytes(16, 0));
  const Graph real = b.finish({b.op(Conv2D{}, {x, w}, DType::f32, {})});
  EXPECT_EQ(graph_macs(shrink(real)), graph_macs(real));
}

}  // namespace
}  // namespace tinynas
