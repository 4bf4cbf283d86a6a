// Row arithmetic against what the interpreter really reads: an output row depends on exactly the rows that input_rows names.
#include <gtest/gtest.h>

#include <random>

#include "graph/operators.h"
#include "graph/resize.h"
#include "graph_builder.h"

namespace tinynas {
namespace {

using test::GraphBuilder;

struct RowCase {
  std::string name;
  OperatorKind kind;
  Shape weights;   // empty: none
  Shape wanted{};  // for resizing
};

/// Rows of the input whose change changes row y of the output.
RowRange observed_rows(const Interpreter& interpreter, const Shape& in, const Shape& out, std::int32_t y) {
  const std::size_t row = static_cast<std::size_t>(in[2]) * in[3], out_row = static_cast<std::size_t>(out[2]) * out[3];
  const std::vector<float> zeros(row * in[1], 0.0F);
  const auto base = test::from_bytes<float>(interpreter.run({test::to_bytes(zeros)})[0]);
  RowRange range{in[1], 0};
  for (std::int32_t r = 0; r < in[1]; ++r) {
    auto changed = zeros;
    for (std::size_t i = 0; i < row; ++i) changed[r * row + i] = 1.0F + static_cast<float>(i);
    const auto result = test::from_bytes<float>(interpreter.run({test::to_bytes(changed)})[0]);
    const bool differs =
        !std::equal(result.begin() + y * out_row, result.begin() + (y + 1) * out_row, base.begin() + y * out_row);
    if (!differs) continue;
    range.first = std::min(range.first, r);
    range.end = std::max(range.end, r + 1);
  }
  return range;
}

class Rows : public testing::TestWithParam<RowCase> {};

TEST_P(Rows, MatchTheInterpreter) {
  const RowCase& param = GetParam();
  std::mt19937 rng(1);
  GraphBuilder b;
  const auto x = b.input({1, 9, 5, 2}, DType::f32, {});
  std::vector<std::int32_t> inputs = {x};
  if (!param.weights.empty()) {
    std::vector<float> values(static_cast<std::size_t>(element_count(param.weights)), 1.0F);
    inputs.push_back(b.constant(param.weights, DType::f32, test::to_bytes(values)));
  }
  const auto y = b.op(param.kind, inputs, DType::f32, {}, param.wanted);
  const Graph graph = b.finish({y});
  const Interpreter interpreter(graph);
  const Shape out = graph.tensors[y].shape;
  std::int32_t end_before = 0;
  for (std::int32_t row = 0; row < out[1]; ++row) {
    const RowRange predicted = input_rows(graph, graph.operators[0], 0, row);
    const RowRange seen = observed_rows(interpreter, graph.tensors[x].shape, out, row);
    EXPECT_GE(predicted.end, end_before);
    end_before = predicted.end;
    if (seen.end == 0) {
      EXPECT_EQ(predicted.first, predicted.end) << row;
      continue;
    }
    EXPECT_EQ(predicted.first, seen.first) << row;
    EXPECT_EQ(predicted.end, seen.end) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Operators, Rows,
    testing::Values(RowCase{"conv", Conv2D{{2, 1, 1, 1, {1, 1, 1, 1}}, {}}, {3, 3, 3, 2}},
                    RowCase{"conv_wide_padding", Conv2D{{1, 1, 1, 1, {3, 0, 2, 0}}, {}}, {3, 2, 2, 2}},
                    RowCase{"depthwise", DepthwiseConv2D{{1, 1, 1, 1, {2, 2, 2, 2}}, {}}, {1, 5, 5, 2}},
                    RowCase{"transpose", TransposeConv{{2, 2, 1, 1, {1, 1, 0, 0}}, {}}, {3, 3, 3, 2}},
                    RowCase{"transpose_sparse", TransposeConv{{3, 3, 1, 1, {0, 0, -1, -1}}, {}}, {3, 2, 2, 2}},
                    RowCase{"pool", MaxPool{3, 2, {2, 1, 1, 1, {1, 0, 0, 0}}, {}}, {}}, RowCase{"mean", Mean{{2}, true}, {}},
                    RowCase{"mean_rows", Mean{{1}, true}, {}}, RowCase{"pad", Pad{{{0, 0}, {2, 3}, {0, 0}, {0, 0}}}, {}},
                    RowCase{"nearest", ResizeNearest{}, {}, {1, 14, 5, 2}},
                    RowCase{"nearest_down", ResizeNearest{true, false}, {}, {1, 4, 5, 2}}, RowCase{"tanh", Tanh{}, {}}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(RowsOf, DilatedWindowsSpanTheRowsBetweenTheirTaps) {
  GraphBuilder b;
  const auto x = b.input({1, 9, 5, 2});
  b.op(Conv2D{{1, 1, 2, 1, {2, 0, 2, 0}}, {}}, {x, b.constant({3, 3, 1, 2}, DType::s8, {})});
  const RowRange rows = input_rows(b.graph(), b.graph().operators[0], 0, 4);
  EXPECT_EQ(rows.first, 2);
  EXPECT_EQ(rows.end, 7);
}

TEST(RowsOf, BroadcastAndConcat) {
  GraphBuilder b;
  const auto x = b.input({1, 4, 5, 2}), gate = b.input({1, 1, 1, 2});
  b.op(Mul{}, {x, gate});
  const auto& mul = b.graph().operators[0];
  EXPECT_EQ(input_rows(b.graph(), mul, 0, 2).first, 2);
  EXPECT_EQ(input_rows(b.graph(), mul, 1, 2).end, 1);
  b.op(Concat{1}, {x, x});
  const auto& concat = b.graph().operators[1];
  EXPECT_EQ(input_rows(b.graph(), concat, 0, 6).end, 4);
  EXPECT_EQ(input_rows(b.graph(), concat, 1, 3).end, 0);
  EXPECT_EQ(input_rows(b.graph(), concat, 1, 6).first, 2);
}

TEST(Counts, MacsWeightsBiases) {
  GraphBuilder b;
  const auto x = b.input({1, 8, 8, 4});
  const auto y = b.op(Conv2D{{2, 2, 1, 1, {1, 1, 0, 0}}, {}},
                      {x, b.constant({6, 3, 3, 2}, DType::s8, {}), b.constant({6}, DType::s32, {})});
  const auto z = b.op(DepthwiseConv2D{}, {y, b.constant({1, 3, 3, 6}, DType::s8, {})});
  const auto flat = b.op(Reshape{}, {z}, DType::s8, {}, {1, 24});
  b.op(FullyConnected{}, {flat, b.constant({10, 24}, DType::s8, {})});
  EXPECT_EQ(graph_macs(b.graph()), 4 * 4 * 6 * 9 * 2 + 2 * 2 * 6 * 9 + 240);
  EXPECT_EQ(weight_count(b.graph()), 108 + 54 + 240);
  EXPECT_EQ(bias_count(b.graph()), 6);
  EXPECT_EQ(constant_bytes(b.graph()), 108 + 54 + 240 + 24);
}

}  // namespace
}  // namespace tinynas
