#include "graph/formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/error.h"
#include "graph/graph_builder.h"
#include "graph/interpreter.h"
#include "graph/json.h"
#include "graph/operators.h"
#include "graph/shape.h"
#include "quant/quantize.h"

namespace tinynas {
namespace {

using test::GraphBuilder;

/// stem | expand, project, ADD | pool, reshape, classifier
Graph block_network() {
  std::mt19937 rng(3);
  GraphBuilder b;
  const auto floats = [&](Shape shape, float scale) {
    auto v = test::random_f32(rng, static_cast<std::size_t>(element_count(shape)));
    for (float& value : v) value *= scale;
    return b.constant(shape, DType::f32, test::to_bytes(v));
  };
  const auto x = b.input({1, 7, 7, 3}, DType::f32, {});
  const auto stem = b.op(Conv2D{{1, 1, 1, 1, {1, 1, 1, 1}}, Activation::relu6},
                         {x, floats({5, 3, 3, 3}, 0.4F), floats({5}, 0.1F)}, DType::f32, {});
  const auto wide = b.op(Conv2D{{}, Activation::relu6}, {stem, floats({9, 1, 1, 5}, 0.5F), -1}, DType::f32, {});
  const auto narrow = b.op(Conv2D{}, {wide, floats({5, 1, 1, 9}, 0.5F), -1}, DType::f32, {});
  const auto sum = b.op(Add{}, {stem, narrow}, DType::f32, {});
  const auto next = b.op(Conv2D{}, {sum, floats({5, 1, 1, 5}, 0.5F), -1}, DType::f32, {});
  const auto pool = b.op(AveragePool{7, 7, {}, {}}, {next}, DType::f32, {});
  const auto flat = b.op(Reshape{}, {pool}, DType::f32, {}, {1, 5});
  return b.finish({b.op(FullyConnected{}, {flat, floats({4, 5}, 0.4F), floats({4}, 0.1F)}, DType::f32, {})});
}

std::vector<std::int32_t> output_bits(const Graph& graph) {
  std::vector<std::int32_t> bits;
  for (const Operator& op : graph.operators) bits.push_back(dtype_bits(graph.tensors[op.outputs[0]].dtype));
  return bits;
}

std::vector<std::int32_t> bits_of_weights(const Graph& graph) {
  std::vector<std::int32_t> bits;
  for (const Operator& op : graph.operators) {
    if (op.inputs.size() > 2) bits.push_back(dtype_bits(graph.tensors[op.inputs[1]].dtype));
  }
  return bits;
}

std::vector<std::vector<Bytes>> pictures(std::size_t values) {
  std::mt19937 rng(4);
  std::vector<std::vector<Bytes>> inputs;
  for (int i = 0; i < 16; ++i) {
    auto picture = test::random_f32(rng, values);
    for (float& v : picture) v = std::round(std::clamp(v * 0.5F, -1.0F, 0.99F) * 128) / 128;
    inputs.push_back({test::to_bytes(picture)});
  }
  return inputs;
}

Graph quantized(const Graph& graph, const std::vector<Format>& formats) {
  QuantizeOptions options;
  options.formats = formats;
  return quantize(graph, pictures(147), options);
}

TEST(Formats, ReadersDecideTheBitsOfActivations) {
  const Graph graph = block_network();
  const Graph w4a4 = quantized(graph, uniform_formats(graph, Format::w4a4));
  EXPECT_EQ(output_bits(w4a4), (std::vector<std::int32_t>{4, 4, 4, 4, 8, 8, 8, 8}));
  EXPECT_EQ(bits_of_weights(w4a4), (std::vector<std::int32_t>{8, 4, 4, 4, 8}));
  const Graph w4a8 = quantized(graph, uniform_formats(graph, Format::w4a8, true));
  EXPECT_EQ(output_bits(w4a8), (std::vector<std::int32_t>(8, 8)));
  EXPECT_EQ(bits_of_weights(w4a8), (std::vector<std::int32_t>(5, 4)));
}

TEST(Formats, MixedBlocksMeetAtTheAdd) {
  const Graph graph = block_network();
  auto formats = uniform_formats(graph, Format::w4a4);
  formats[4] = Format::w8a8;  // reads the sum
  EXPECT_EQ(output_bits(quantized(graph, formats)), (std::vector<std::int32_t>{4, 4, 8, 8, 8, 8, 8, 8}));
}

TEST(Formats, QuantizedTensorsStayInTheirRange) {
  const Graph graph = block_network();
  const Graph q = quantized(graph, uniform_formats(graph, Format::w4a4));
  for (const Operator& op : q.operators) {
    if (op.inputs.size() < 3) continue;
    const Tensor& weights = q.tensors[op.inputs[1]];
    EXPECT_EQ(weights.quantization.scale.size(), static_cast<std::size_t>(weights.shape[0]));
    for (const auto v : unpack_values(weights, weights.data))
      EXPECT_GE(static_cast<std::int8_t>(v), weights.dtype == DType::s4 ? -7 : -127);
  }
  EXPECT_EQ(q.tensors[q.operators[0].outputs[0]].quantization.zero_point[0], -8);  // after ReLU6
  EXPECT_EQ(to_json(from_json(to_json(q))), to_json(q));
}

/// The quantised networks compute nearly what the float one does, the more bits the nearer.
TEST(Formats, MoreBitsAreNearerToFloat) {
  const Graph graph = block_network();
  const auto inputs = pictures(147);
  const auto error = [&](Format format) {
    const Graph q = quantized(graph, uniform_formats(graph, format));
    const Quantization& out = q.tensors[q.outputs[0]].quantization;
    double sum = 0;
    for (const auto& input : inputs) {
      const auto real = test::from_bytes<float>(run(graph, input)[0]);
      auto picture = test::from_bytes<float>(input[0]);
      std::vector<std::int8_t> levels;
      for (const float v : picture) levels.push_back(static_cast<std::int8_t>(std::lround(v * 128)));
      const auto got = test::from_bytes<std::int8_t>(run(q, {test::to_bytes(levels)})[0]);
      for (std::size_t i = 0; i < real.size(); ++i)
        sum += std::fabs(static_cast<double>(real[i]) - out.scale[0] * static_cast<double>(got[i] - out.zero_point[0]));
    }
    return sum;
  };
  const double w8a8 = error(Format::w8a8), w4a8 = error(Format::w4a8), w4a4 = error(Format::w4a4);
  EXPECT_LT(w8a8, w4a8);
  EXPECT_LT(w4a8, w4a4);
}

TEST(Formats, NamesAndCounts) {
  for (const Format format : {Format::w8a8, Format::w4a8, Format::w4a4})
    EXPECT_EQ(parse_format(format_name(format)), format);
  EXPECT_EQ(parse_format("w2a2"), std::nullopt);
  EXPECT_THROW(static_cast<void>(activation_bits(block_network(), {})), InputError);
}

}  // namespace
}  // namespace tinynas
