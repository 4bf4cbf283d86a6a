#include "quant/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/error.h"
#include "graph/graph_builder.h"
#include "graph/operators.h"
#include "graph/validate.h"
#include "quant/calibrate.h"

namespace tinynas {
namespace {

using test::GraphBuilder;

struct Network {
  Graph graph;
  std::vector<std::vector<Bytes>> inputs;
};

Network small_network(std::uint32_t seed) {
  std::mt19937 rng(seed);
  GraphBuilder b;
  const auto floats = [&](std::size_t n, float scale) {
    auto v = test::random_f32(rng, n);
    for (float& value : v) value *= scale;
    return test::to_bytes(v);
  };
  const auto x = b.input({1, 8, 8, 3}, DType::f32, {});
  const auto stem =
      b.op(Conv2D{{2, 2, 1, 1, {1, 1, 1, 1}}, Activation::relu6},
           {x, b.constant({6, 3, 3, 3}, DType::f32, floats(162, 0.4F)), b.constant({6}, DType::f32, floats(6, 0.1F))},
           DType::f32, {});
  const auto dw = b.op(DepthwiseConv2D{{1, 1, 1, 1, {1, 1, 1, 1}}, Activation::none},
                       {stem, b.constant({1, 3, 3, 6}, DType::f32, floats(54, 0.5F)), -1}, DType::f32, {});
  const auto sum = b.op(Add{}, {stem, dw}, DType::f32, {});
  const auto pool = b.op(AveragePool{4, 4, {}, {}}, {sum}, DType::f32, {});
  const auto flat = b.op(Reshape{}, {pool}, DType::f32, {}, {1, 6});
  const auto fc =
      b.op(FullyConnected{},
           {flat, b.constant({4, 6}, DType::f32, floats(24, 0.4F)), b.constant({4}, DType::f32, floats(4, 0.1F))},
           DType::f32, {});
  Network network{b.finish({fc}), {}};
  for (std::int32_t i = 0; i < 20; ++i) {
    auto picture = test::random_f32(rng, 192);
    for (float& v : picture) v = std::round(std::clamp(v * 0.5F, -1.0F, 0.99F) * 128) / 128;
    network.inputs.push_back({test::to_bytes(picture)});
  }
  return network;
}

TEST(Quantize, ScalesFollowTheRules) {
  const Network n = small_network(1);
  const Graph q = quantize(n.graph, n.inputs);
  const auto of = [&](std::size_t op) -> const Quantization& { return q.tensors[q.operators[op].outputs[0]].quantization; };
  EXPECT_EQ(q.tensors[q.inputs[0]].quantization.scale[0], 1.0F / 128);
  EXPECT_EQ(q.tensors[q.inputs[0]].quantization.zero_point[0], 0);
  EXPECT_EQ(of(0).zero_point[0], -128);  // ReLU6
  EXPECT_LE(of(0).scale[0], 6.0F / 255 * 1.0001F);
  EXPECT_EQ(of(2).scale, of(3).scale);  // the pool keeps its input's scale
  EXPECT_EQ(of(3).zero_point, of(4).zero_point);
  const Tensor& weights = q.tensors[q.operators[1].inputs[1]];
  EXPECT_EQ(weights.quantization.axis, 3);
  EXPECT_EQ(weights.quantization.scale.size(), 6U);
  for (const std::uint8_t w : weights.data) EXPECT_NE(static_cast<std::int8_t>(w), -128);
  const Tensor& bias = q.tensors[q.operators[0].inputs[2]];
  EXPECT_EQ(bias.dtype, DType::s32);
  EXPECT_FLOAT_EQ(bias.quantization.scale[2], q.tensors[q.operators[0].inputs[1]].quantization.scale[2] / 128);
}

TEST(Quantize, OutputsStayNearTheFloatOnes) {
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    const Network n = small_network(seed);
    const Graph q = quantize(n.graph, n.inputs);
    const Quantization& out = q.tensors[q.outputs[0]].quantization;
    double error = 0, power = 0;
    for (const auto& input : n.inputs) {
      const auto real = test::from_bytes<float>(run(n.graph, input)[0]);
      std::vector<std::int8_t> pixels;
      for (const float v : test::from_bytes<float>(input[0])) pixels.push_back(static_cast<std::int8_t>(v * 128));
      const auto integer = test::from_bytes<std::int8_t>(run(q, {test::to_bytes(pixels)})[0]);
      for (std::size_t i = 0; i < real.size(); ++i) {
        const double difference = real[i] - out.scale[0] * static_cast<float>(integer[i] - out.zero_point[0]);
        error += difference * difference;
        power += real[i] * real[i];
      }
    }
    EXPECT_LT(std::sqrt(error / power), 0.08) << seed;  // measured: 0.02 on average, 0.049 at worst
  }
}

TEST(Quantize, IndependentOfThreads) {
  const Network n = small_network(4);
  QuantizeOptions one, three;
  one.threads = 1;
  three.threads = 3;
  const Graph a = quantize(n.graph, n.inputs, one), b = quantize(n.graph, n.inputs, three);
  for (std::size_t t = 0; t < a.tensors.size(); ++t) {
    EXPECT_EQ(a.tensors[t].data, b.tensors[t].data);
    EXPECT_EQ(a.tensors[t].quantization.scale, b.tensors[t].quantization.scale);
  }
}

TEST(Quantize, ChannelsWithoutWeightsKeepTheirBias) {
  GraphBuilder b;
  const auto x = b.input({1, 2, 2, 1}, DType::f32, {});
  const auto w = b.constant({3, 1, 1, 1}, DType::f32, test::to_bytes(std::vector<float>{0.0F, 1e-20F, 1.0F}));
  const auto bias = b.constant({3}, DType::f32, test::to_bytes(std::vector<float>{1.5F, -0.75F, 0.0F}));
  const Graph graph = b.finish({b.op(Conv2D{}, {x, w, bias}, DType::f32, {})});
  const std::vector<float> picture = {0.0F, 0.5F, -0.5F, 0.25F};
  const Graph q = quantize(graph, {{test::to_bytes(picture)}});
  const Quantization& out = q.tensors[q.outputs[0]].quantization;
  const auto got = test::from_bytes<std::int8_t>(run(q, {{0, 64, 0xC0, 32}})[0]);
  for (std::size_t pixel = 0; pixel < 4; ++pixel) {
    const std::vector<float> expected = {1.5F, -0.75F, picture[pixel]};
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(out.scale[0] * static_cast<float>(got[pixel * 3 + c] - out.zero_point[0]), expected[c], out.scale[0])
          << pixel << ' ' << c;
    }
  }
}

TEST(Quantize, RangesByEveryMethod) {
  ActivationStatistics s;
  s.minimum = 0;
  s.maximum = 100;  // one outlier; everything else below 1
  s.mean_minimum = 0;
  s.mean_maximum = 2;
  s.histogram.assign(ActivationStatistics::kBins, 0);
  for (std::size_t b = 0; b < 20; ++b) s.histogram[b] = 100000;
  s.histogram.back() = 1;
  EXPECT_DOUBLE_EQ(choose_range(s, {.method = RangeMethod::min_max}).high, 100);
  EXPECT_DOUBLE_EQ(choose_range(s, {.method = RangeMethod::average}).high, 2);
  EXPECT_LT(choose_range(s, {.method = RangeMethod::percentile}).high, 1.1);
  EXPECT_LT(choose_range(s, {.method = RangeMethod::mse}).high, 60);
  for (const auto method : {RangeMethod::min_max, RangeMethod::average, RangeMethod::percentile, RangeMethod::mse}) {
    EXPECT_EQ(choose_range(s, {method, 99.9, 8}).low, 0);
  }
  EXPECT_EQ(asymmetric({0, 6}).zero_point[0], -128);
  EXPECT_EQ(asymmetric({-6, 0}).zero_point[0], 127);
  EXPECT_EQ(asymmetric({2, 6}).zero_point[0], -128);  // zero is included
  EXPECT_GT(asymmetric({0, 0}).scale[0], 0);
}

TEST(Quantize, BadInputsAreRefused) {
  Network n = small_network(2);
  EXPECT_THROW(static_cast<void>(quantize(n.graph, {})), InputError);
  auto infinite = n.inputs;
  const float inf = std::numeric_limits<float>::infinity();
  std::memcpy(infinite[0][0].data(), &inf, sizeof inf);
  EXPECT_THROW(static_cast<void>(quantize(n.graph, infinite)), InputError);
  const Graph once = quantize(n.graph, n.inputs);
  EXPECT_THROW(static_cast<void>(quantize(once, n.inputs)), InputError);
  Graph no_weights = n.graph;
  no_weights.tensors[n.graph.operators[0].inputs[1]].data.clear();
  EXPECT_THROW(static_cast<void>(quantize(no_weights, n.inputs)), InputError);
}

}  // namespace
}  // namespace tinynas
