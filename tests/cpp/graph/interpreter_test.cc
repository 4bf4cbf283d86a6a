// Every integer operator against its real-valued meaning, in double from dequantised values: a result may differ by the last
// step only. Bit-exactness against TensorFlow Lite's own runtimes is tested with the importer (tests/python/tflite).
#include "graph/interpreter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/error.h"
#include "graph/formats.h"
#include "graph_builder.h"

namespace tinynas {
namespace {

using test::GraphBuilder;
using test::per_tensor;

struct RealCase {
  std::string name;
  OperatorKind kind;
  std::vector<Shape> inputs;  // all computed
  Shape weights{}, wanted{};
  Quantization output = per_tensor(0.05F, -3);
  float input_scale = 0.04F;
};

/// The same operator twice: on int8 values, and in float on what they stand for.
class IntegerAgainstReal : public testing::TestWithParam<RealCase> {};

Graph make_graph(const RealCase& param, bool real, std::mt19937& rng) {
  GraphBuilder b;
  const DType dtype = real ? DType::f32 : DType::s8;
  std::vector<std::int32_t> inputs;
  for (std::size_t i = 0; i < param.inputs.size(); ++i) {
    inputs.push_back(
        b.input(param.inputs[i], dtype,
                per_tensor(param.input_scale * static_cast<float>(i + 1), static_cast<std::int32_t>(5 * i) - 2)));
  }
  if (!param.weights.empty()) {
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(param.kind);
    const std::int32_t axis = depthwise ? 3 : 0;
    const std::int32_t channels = param.weights[static_cast<std::size_t>(axis)];
    const auto count = static_cast<std::size_t>(element_count(param.weights));
    const std::vector<std::int8_t> w = test::random_s8(rng, count);
    const std::vector<std::int8_t> bias = test::random_s8(rng, static_cast<std::size_t>(channels));
    Quantization q{{}, std::vector<std::int32_t>(static_cast<std::size_t>(channels), 0), axis};
    for (std::int32_t c = 0; c < channels; ++c) q.scale.push_back(0.001F * static_cast<float>(c + 1));
    std::vector<float> real_w, real_bias;
    std::vector<std::int32_t> wide_bias;
    const std::size_t per_channel = count / static_cast<std::size_t>(channels);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = depthwise ? i % static_cast<std::size_t>(channels) : i / per_channel;
      real_w.push_back(static_cast<float>(w[i]) * q.scale[c]);
    }
    for (std::size_t c = 0; c < bias.size(); ++c) {
      wide_bias.push_back(bias[c] * 20);
      real_bias.push_back(static_cast<float>(wide_bias[c]) * param.input_scale * q.scale[c]);
    }
    inputs.push_back(real ? b.constant(param.weights, dtype, test::to_bytes(real_w))
                          : b.constant(param.weights, dtype, test::to_bytes(w), q));
    inputs.push_back(real ? b.constant({channels}, dtype, test::to_bytes(real_bias))
                          : b.constant({channels}, DType::s32, test::to_bytes(wide_bias)));
  }
  // A change of scale is nothing in real numbers.
  const bool rescale = std::holds_alternative<Quantize>(param.kind);
  const OperatorKind kind = rescale && real ? OperatorKind(Reshape{}) : param.kind;
  return b.finish({b.op(kind, inputs, dtype, param.output, rescale && real ? param.inputs[0] : param.wanted)});
}

TEST_P(IntegerAgainstReal, DiffersByTheLastStepAtMost) {
  const RealCase& param = GetParam();
  std::mt19937 rng_a(3), rng_b(3), rng(4);
  const Graph integer = make_graph(param, false, rng_a), real = make_graph(param, true, rng_b);
  std::vector<Bytes> q_inputs, real_inputs;
  for (const std::int32_t t : integer.inputs) {
    const Tensor& tensor = integer.tensors[t];
    const auto q = test::random_s8(rng, static_cast<std::size_t>(element_count(tensor.shape)));
    std::vector<float> x;
    for (const std::int8_t v : q)
      x.push_back(tensor.quantization.scale[0] * static_cast<float>(v - tensor.quantization.zero_point[0]));
    q_inputs.push_back(test::to_bytes(q));
    real_inputs.push_back(test::to_bytes(x));
  }
  const auto got = test::from_bytes<std::int8_t>(run(integer, q_inputs)[0]);
  const auto expected = test::from_bytes<float>(run(real, real_inputs)[0]);
  ASSERT_EQ(got.size(), expected.size());
  const Quantization& q = param.output;
  std::int32_t moving = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double exact = std::clamp<double>(expected[i] / q.scale[0] + q.zero_point[0], -128, 127);
    ASSERT_NEAR(got[i], exact, 1.02) << i;
    moving += got[i] != got[0] ? 1 : 0;
  }
  EXPECT_TRUE(moving > 0 || got.size() == 1) << "the case computes a constant";
}

const Window kSame{1, 1, 1, 1, {1, 1, 1, 1}};
const Window kOdd{2, 1, 1, 2, {0, 1, 2, 0}};

INSTANTIATE_TEST_SUITE_P(
    Operators, IntegerAgainstReal,
    testing::Values(
        RealCase{"conv", Conv2D{kSame, Activation::none}, {{1, 6, 5, 4}}, {7, 3, 3, 4}},
        RealCase{"conv_relu6", Conv2D{kOdd, Activation::relu6}, {{1, 6, 7, 4}}, {7, 3, 2, 4}},
        RealCase{"conv_groups", Conv2D{kSame, Activation::relu}, {{1, 6, 5, 4}}, {6, 3, 3, 2}},
        RealCase{"depthwise", DepthwiseConv2D{kOdd, Activation::none}, {{1, 6, 7, 4}}, {1, 3, 3, 4}},
        RealCase{"depthwise_multiplier", DepthwiseConv2D{kSame, Activation::relu}, {{1, 6, 5, 3}}, {1, 3, 3, 6}},
        RealCase{
            "transpose_conv", TransposeConv{{2, 3, 1, 1, {1, 0, 0, 1}}, Activation::none}, {{1, 4, 5, 3}}, {5, 3, 4, 3}},
        RealCase{"fully_connected", FullyConnected{Activation::none}, {{2, 30}}, {9, 30}},
        RealCase{"add", Add{Activation::none}, {{1, 3, 4, 5}, {1, 3, 4, 5}}, {}, {}, per_tensor(0.1F, 4)},
        RealCase{"add_broadcast", Add{Activation::relu}, {{1, 3, 4, 5}, {1, 1, 4, 1}}, {}, {}, per_tensor(0.1F, 4)},
        RealCase{"mul", Mul{Activation::none}, {{1, 3, 4, 5}, {5}}, {}, {}, per_tensor(0.4F, 4)},
        RealCase{"average",
                 AveragePool{3, 2, {2, 1, 1, 1, {1, 0, 1, 1}}, Activation::none},
                 {{1, 7, 5, 3}},
                 {},
                 {},
                 per_tensor(0.04F, -2)},
        RealCase{"maximum",
                 MaxPool{3, 2, {2, 1, 1, 1, {1, 0, 1, 1}}, Activation::relu},
                 {{1, 7, 5, 3}},
                 {},
                 {},
                 per_tensor(0.04F, -2)},
        RealCase{"mean", Mean{{1, 2}, true}, {{1, 5, 7, 6}}, {}, {}, per_tensor(0.01F, 9)},
        RealCase{"mean_one_axis", Mean{{-1}, false}, {{1, 5, 7, 6}}, {}, {}, per_tensor(0.03F, 9)},
        RealCase{"reduce_max", ReduceMax{{1}, false}, {{1, 5, 7, 6}}, {}, {}, per_tensor(0.04F, -2)},
        RealCase{"pad", Pad{{{0, 0}, {1, 2}, {0, 1}, {2, 0}}}, {{1, 3, 2, 4}}, {}, {}, per_tensor(0.04F, -2)},
        RealCase{"transpose", Transpose{{0, 3, 1, 2}}, {{1, 3, 2, 4}}, {}, {}, per_tensor(0.04F, -2)},
        RealCase{"nearest", ResizeNearest{false, true}, {{1, 3, 5, 2}}, {}, {1, 7, 4, 2}, per_tensor(0.04F, -2)},
        RealCase{"bilinear", ResizeBilinear{false, true}, {{1, 3, 5, 2}}, {}, {1, 7, 4, 2}, per_tensor(0.04F, -2)},
        RealCase{"bilinear_corners", ResizeBilinear{true, false}, {{1, 3, 5, 2}}, {}, {1, 9, 13, 2}, per_tensor(0.04F, -2)},
        RealCase{"softmax", Softmax{0.7F}, {{1, 3, 10}}, {}, {}, per_tensor(1.0F / 256, -128)},
        RealCase{"logistic", Logistic{}, {{1, 3, 100}}, {}, {}, per_tensor(1.0F / 256, -128)},
        RealCase{"tanh", Tanh{}, {{1, 3, 100}}, {}, {}, per_tensor(1.0F / 128, 0)},
        RealCase{"hard_swish", HardSwish{}, {{1, 3, 100}}, {}, {}, per_tensor(0.03F, -110)},
        RealCase{"leaky_relu", LeakyRelu{0.2F}, {{1, 3, 100}}},
        RealCase{"prelu", PRelu{}, {{1, 3, 4, 5}, {5}}, {}, {}, per_tensor(0.3F, 4)},
        RealCase{"requantise", Quantize{}, {{1, 300}}, {}, {}, per_tensor(0.09F, 20)}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(Interpreter, ConvolutionByHand) {
  //  x = 1 2 3 4, w = 1 −1, bias 10, all scales 1: y[i] = x[i] − x[i+1] + 10, then /2 and ties away from zero
  GraphBuilder b;
  const auto x = b.input({1, 1, 4, 1}, DType::s8, per_tensor(1, 0));
  const auto w = b.constant({1, 1, 2, 1}, DType::s8, {1, 0xFF}, per_tensor(1, 0));
  const auto bias = b.constant({1}, DType::s32, test::to_bytes(std::vector<std::int32_t>{10}));
  const Graph graph = b.finish({b.op(Conv2D{}, {x, w, bias}, DType::s8, per_tensor(2, -1))});
  EXPECT_EQ(test::from_bytes<std::int8_t>(run(graph, {{1, 2, 4, 9}})[0]), (std::vector<std::int8_t>{4, 3, 2}));
}

TEST(Interpreter, AveragePoolRoundsTiesAwayFromZero) {
  GraphBuilder b;
  const auto x = b.input({1, 1, 4, 1});
  const Graph graph = b.finish({b.op(AveragePool{1, 2, {1, 2, 1, 1, {}}, {}}, {x})});
  EXPECT_EQ(test::from_bytes<std::int8_t>(run(graph, {{1, 2, 0xFF, 0xFE}})[0]), (std::vector<std::int8_t>{2, -2}));
}

TEST(Interpreter, ConcatArgMaxReshape) {
  GraphBuilder b;
  const auto x = b.input({1, 2, 1, 2}), y = b.input({1, 2, 1, 1});
  const auto joined = b.op(Concat{-1}, {x, y});
  const auto flat = b.op(Reshape{}, {joined}, DType::s8, per_tensor(0.5F, 0), {1, 6});
  const auto best = b.op(ArgMax{-1}, {flat}, DType::s32, {});
  const std::vector<Bytes> out = run(b.finish({joined, best}), {{1, 2, 3, 4}, {5, 6}});
  EXPECT_EQ(out[0], (Bytes{1, 2, 5, 3, 4, 6}));
  EXPECT_EQ(test::from_bytes<std::int32_t>(out[1]), std::vector<std::int32_t>{5});
}

TEST(Interpreter, FourBitWeightsEqualTheSameWeightsInBytes) {
  std::mt19937 rng(5);
  const std::vector<std::int8_t> values = [&] {
    std::vector<std::int8_t> v = test::random_s8(rng, 27);
    for (auto& value : v) value = static_cast<std::int8_t>(value % 8);
    return v;
  }();
  const auto with = [&](DType dtype) {
    GraphBuilder b;
    const auto x = b.input({1, 5, 5, 3});
    const Bytes data = pack_values({"w", {1, 3, 3, 3}, dtype, {}, true, {}}, test::to_bytes(values));
    const auto w = b.constant({1, 3, 3, 3}, dtype, data, per_tensor(0.1F, 0));
    return b.finish({b.op(Conv2D{}, {x, w, -1})});
  };
  const Bytes x = test::to_bytes(test::random_s8(rng, 75));
  EXPECT_EQ(run(with(DType::s4), {x}), run(with(DType::s8), {x}));
}

TEST(Interpreter, FourBitRowsArePaddedToWholeBytes) {
  const Bytes values = {0xFF, 0xF8, 0x07, 0x01, 0x02, 0xFD};
  const Tensor map{"x", {1, 2, 3, 1}, DType::s4, {}, false, {}}, constant{"w", {1, 2, 3, 1}, DType::s4, {}, true, {}};
  const Bytes rows = {0x8F, 0x07, 0x21, 0x0D}, flat = {0x8F, 0x17, 0xD2};
  EXPECT_EQ(pack_values(map, values), rows);
  EXPECT_EQ(unpack_values(map, rows), values);
  EXPECT_EQ(pack_values(constant, values), flat);
  EXPECT_EQ(unpack_values(constant, flat), values);
  EXPECT_EQ(activation_bytes(map.shape, map.dtype), 4);
  EXPECT_EQ(byte_count(map.shape, map.dtype), 3);
}

TEST(Interpreter, AddTakesFourAndEightBits) {
  GraphBuilder b;
  const auto x = b.input({1, 1, 3, 1}, DType::s4, per_tensor(1.0F, 0));
  const auto y = b.input({1, 1, 3, 1}, DType::s8, per_tensor(0.5F, 10));
  const Graph graph = b.finish({b.op(Add{}, {x, y}, DType::s4, per_tensor(2.0F, -3))});
  // -3, 7, -8 and 0, 20, -30 (in units of 0.5, less 10): reals -3 - 5, 7 + 5, -8 - 20.
  EXPECT_EQ(run(graph, {{0x7D, 0x08}, test::to_bytes(std::vector<std::int8_t>{0, 20, -30})})[0], (Bytes{0x39, 0x08}));
}

TEST(Interpreter, FloatAndUnsignedEnds) {
  GraphBuilder b;
  const auto x = b.input({1, 4}, DType::f32, {});
  const auto q = b.op(Quantize{}, {x}, DType::u8, per_tensor(0.5F, 128));
  const auto s = b.op(Quantize{}, {q}, DType::s8, per_tensor(0.5F, 0));
  const Graph graph = b.finish({s, b.op(Dequantize{}, {s}, DType::f32, {})});
  const std::vector<float> values = {-1.25F, 0.3F, 1e30F, std::nanf("")};
  const auto out = run(graph, {test::to_bytes(values)});
  EXPECT_EQ(test::from_bytes<std::int8_t>(out[0]), (std::vector<std::int8_t>{-3, 1, 127, 0}));
  EXPECT_EQ(test::from_bytes<float>(out[1])[0], -1.5F);
}

TEST(Interpreter, WrongInputsAreNamed) {
  GraphBuilder b;
  const auto x = b.input({1, 4});
  const Graph graph = b.finish({b.op(Tanh{}, {x}, DType::s8, per_tensor(1.0F / 128, 0))});
  EXPECT_THROW(static_cast<void>(run(graph, {})), InputError);
  EXPECT_THROW(static_cast<void>(run(graph, {{1, 2, 3}})), InputError);
}

}  // namespace
}  // namespace tinynas
