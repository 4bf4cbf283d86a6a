#include "graph/json.h"

#include <gtest/gtest.h>

#include <random>

#include "graph/base64.h"
#include "graph/error.h"
#include "graph/operators.h"
#include "graph/validate.h"
#include "graph_builder.h"

namespace tinynas {
namespace {

/// A graph of random contents, broken or not: the JSON form must carry all of it.
Graph random_graph(std::uint32_t seed) {
  std::mt19937 rng(seed);
  const auto below = [&](std::int32_t n) { return static_cast<std::int32_t>(rng() % static_cast<std::uint32_t>(n)); };
  Graph graph;
  graph.name = "random \"" + std::to_string(seed) + "\" \\ \n é";
  const std::int32_t tensors = 1 + below(8);
  for (std::int32_t t = 0; t < tensors; ++t) {
    Tensor tensor;
    tensor.name = "t" + std::to_string(t);
    for (std::int32_t d = below(5); d > 0; --d) tensor.shape.push_back(1 + below(9));
    tensor.dtype = static_cast<DType>(below(7));
    for (std::int32_t i = below(4); i > 0; --i) {
      tensor.quantization.scale.push_back(std::ldexp(static_cast<float>(1 + below(1 << 24)), -below(60)));
      tensor.quantization.zero_point.push_back(below(256) - 128);
    }
    tensor.quantization.axis = below(4);
    tensor.constant = below(2) == 1;
    for (std::int32_t i = below(9); i > 0 && tensor.constant; --i)
      tensor.data.push_back(static_cast<std::uint8_t>(below(256)));
    graph.tensors.push_back(tensor);
  }
  for (std::size_t kind = 0; kind < kOperatorInfo.size(); ++kind) {
    Operator op{*make_operator(kOperatorInfo[kind].name), "op", {below(9), -1, below(9)}, {below(9)}, below(3) - 1};
    std::visit(
        [&](auto& k) {
          visit_attributes(k, [&](const char*, auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, Activation>) {
              value = static_cast<Activation>(below(3));
            } else if constexpr (std::is_same_v<T, std::vector<std::int32_t>>) {
              value = {below(4), -below(4)};
            } else if constexpr (std::is_same_v<T, std::vector<std::array<std::int32_t, 2>>>) {
              value = {{below(4), below(4)}, {below(4), below(4)}};
            } else if constexpr (std::is_same_v<T, float>) {
              value = std::ldexp(static_cast<float>(below(1 << 24)), -20);
            } else {
              value = static_cast<T>(below(5));
            }
          });
        },
        op.kind);
    graph.operators.push_back(op);
  }
  graph.inputs = {below(9), below(9)};
  graph.outputs = {below(9)};
  return graph;
}

bool same_attributes(const Operator& a, const Operator& b) {
  std::vector<std::string> texts[2];
  for (std::size_t i = 0; i < 2; ++i) {
    Graph one;
    one.operators = {i == 0 ? a : b};
    texts[i].push_back(to_json(one));
  }
  return a.kind.index() == b.kind.index() && texts[0] == texts[1];
}

TEST(Json, RoundTripKeepsEverything) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    const Graph graph = random_graph(seed);
    const Graph back = from_json(to_json(graph));
    ASSERT_EQ(back.name, graph.name);
    ASSERT_EQ(back.inputs, graph.inputs);
    ASSERT_EQ(back.outputs, graph.outputs);
    ASSERT_EQ(back.tensors.size(), graph.tensors.size());
    for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
      const Tensor &a = graph.tensors[t], &b = back.tensors[t];
      ASSERT_EQ(a.name, b.name);
      ASSERT_EQ(a.shape, b.shape);
      ASSERT_EQ(a.dtype, b.dtype);
      ASSERT_EQ(a.quantization.scale, b.quantization.scale);
      ASSERT_EQ(a.quantization.zero_point, b.quantization.zero_point);
      ASSERT_EQ(a.quantization.axis, b.quantization.axis);
      ASSERT_EQ(a.constant, b.constant);
      ASSERT_EQ(a.data, b.data);
    }
    ASSERT_EQ(back.operators.size(), graph.operators.size());
    for (std::size_t i = 0; i < graph.operators.size(); ++i) {
      ASSERT_EQ(back.operators[i].name, graph.operators[i].name);
      ASSERT_EQ(back.operators[i].inputs, graph.operators[i].inputs);
      ASSERT_EQ(back.operators[i].outputs, graph.operators[i].outputs);
      ASSERT_EQ(back.operators[i].source_index, graph.operators[i].source_index);
      ASSERT_TRUE(same_attributes(back.operators[i], graph.operators[i])) << i;
    }
  }
}

TEST(Json, AttributesSurviveOneByOne) {
  Graph graph;
  graph.operators.push_back({AveragePool{3, 4, {5, 6, 7, 8, {9, 10, 11, 12}}, Activation::relu6}, "", {0}, {1}, -1});
  graph.operators.push_back({LeakyRelu{0.3F}, "", {0}, {1}, 5});
  const Graph back = from_json(to_json(graph));
  const auto& pool = std::get<AveragePool>(back.operators[0].kind);
  EXPECT_EQ(pool.kernel_h, 3);
  EXPECT_EQ(pool.kernel_w, 4);
  EXPECT_EQ(pool.window.stride_w, 6);
  EXPECT_EQ(pool.window.dilation_h, 7);
  EXPECT_EQ(pool.window.padding.left, 10);
  EXPECT_EQ(pool.window.padding.bottom, 11);
  EXPECT_EQ(pool.activation, Activation::relu6);
  EXPECT_EQ(std::get<LeakyRelu>(back.operators[1].kind).alpha, 0.3F);
}

std::string error_of(const std::string& text) {
  try {
    validate(from_json(text));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string graph_text(const std::string& tensors, const std::string& operators, const std::string& more = "") {
  return R"({"format": "tinynas-graph", "version": 1, "name": "g", "tensors": [)" + tensors + R"(], "operators": [)" +
         operators + R"(], "inputs": [0], "outputs": [0])" + more + "}";
}
constexpr const char* kInput = R"({"name": "x", "shape": [1, 4, 4, 2], "dtype": "s8"})";

TEST(Json, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(error_of(graph_text(kInput, "")), "");
  EXPECT_EQ(error_of(graph_text(kInput, "", R"(, "colour": 1)")),
            "[graph json] graph: expected known keys only, got 'colour'");
  EXPECT_EQ(error_of(graph_text(kInput, R"({"op": "lstm", "inputs": [0], "outputs": [0]})")),
            "[graph json] operators[0].op: expected the name of an operator, got 'lstm'");
  EXPECT_EQ(error_of(graph_text(kInput, R"({"op": "tanh", "inputs": [0], "outputs": [0], "stride_h": 1})")),
            "[graph json] operators[0]: expected known keys only, got 'stride_h'");
  EXPECT_NE(error_of(graph_text(R"({"name": "x", "shape": [1e3], "dtype": "s8"})", "")).find("an integer of 32 bits"),
            std::string::npos);
  EXPECT_NE(error_of(graph_text(R"({"name": "x", "shape": [4294967296], "dtype": "s8"})", "")).find("32 bits"),
            std::string::npos);
  EXPECT_NE(error_of(graph_text(R"({"name": "x", "shape": [1], "dtype": "f16"})", "")).find("'f16'"), std::string::npos);
  EXPECT_NE(
      error_of(graph_text(R"({"name": "x", "shape": [1], "dtype": "s8", "scale": [1e99]})", "")).find("single precision"),
      std::string::npos);
  EXPECT_NE(error_of(graph_text(R"({"name": "x", "shape": [4], "dtype": "s8", "constant": true, "data": "A?=="})", ""))
                .find("base64"),
            std::string::npos);
  EXPECT_NE(error_of("[1, 2"), "");
  EXPECT_NE(error_of("3"), "");
  EXPECT_NE(error_of(std::string(100000, '[')), "");
}

TEST(Json, BrokenTextNeverCrashes) {
  test::GraphBuilder b;
  const auto x = b.input({1, 6, 6, 2});
  const auto w = b.constant({3, 3, 3, 2}, DType::s8, Bytes(54, 1), test::per_tensor(0.1F, 0));
  const auto y = b.op(Conv2D{}, {x, w, -1});
  const auto p = b.op(Pad{{{0, 0}, {1, 1}, {1, 1}, {0, 0}}}, {y});
  const auto m = b.op(AveragePool{2, 2, {2, 2, 1, 1, {}}, {}}, {p});
  const std::string good = to_json(b.finish({b.op(Mean{{1, 2}, false}, {m})}));
  ASSERT_EQ(error_of(good), "");
  std::mt19937 rng(7);
  const std::string alphabet = "0123456789-[]{},:\"ae.";
  std::size_t accepted = 0;
  for (std::size_t trial = 0; trial < 20000; ++trial) {
    std::string text = good;
    for (std::size_t k = 1 + rng() % 3; k > 0; --k) {
      const std::size_t at = rng() % text.size();
      if (rng() % 4 == 0) {
        text.erase(at, 1 + rng() % 6);
      } else {
        text[at] = alphabet[rng() % alphabet.size()];
      }
    }
    try {
      const Graph graph = from_json(text);
      validate(graph);
      std::int64_t bytes = 0;
      for (const Tensor& tensor : graph.tensors) bytes += byte_count(tensor.shape, tensor.dtype);
      if (bytes > 1 << 20) continue;
      std::vector<Bytes> inputs;
      for (const std::int32_t i : graph.inputs)
        inputs.emplace_back(byte_count(graph.tensors[i].shape, graph.tensors[i].dtype));
      static_cast<void>(run(graph, inputs));
      ++accepted;
    } catch (const InputError&) {
    }
  }
  EXPECT_GT(accepted, 100U);  // the trials reach the interpreter
}

TEST(Base64, KnownValuesAndErrors) {
  const auto bytes = [](const std::string& text) { return std::vector<std::uint8_t>(text.begin(), text.end()); };
  EXPECT_EQ(encode_base64(bytes("")), "");
  EXPECT_EQ(encode_base64(bytes("f")), "Zg==");
  EXPECT_EQ(encode_base64(bytes("fo")), "Zm8=");
  EXPECT_EQ(encode_base64(bytes("foobar")), "Zm9vYmFy");
  for (std::size_t n = 0; n < 20; ++n) {
    std::vector<std::uint8_t> data(n);
    for (std::size_t i = 0; i < n; ++i) data[i] = static_cast<std::uint8_t>(200 + 37 * i);
    EXPECT_EQ(decode_base64(encode_base64(data)), data);
  }
  for (const char* bad : {"A", "AAA", "A=AA", "====", "AA=A", "A\nAA"}) EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace tinynas
