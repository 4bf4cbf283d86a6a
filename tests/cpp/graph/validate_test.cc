#include "graph/validate.h"

#include <gtest/gtest.h>

#include "graph/error.h"
#include "graph_builder.h"

namespace tinynas {
namespace {

using test::GraphBuilder;
using test::per_tensor;

/// input -> conv -> pool, all valid.
Graph good_graph() {
  GraphBuilder b;
  const auto x = b.input({1, 6, 6, 2});
  const auto w = b.constant({3, 3, 3, 2}, DType::s8, Bytes(54, 1), {{0.1F, 0.2F, 0.3F}, {0, 0, 0}, 0});
  const auto bias = b.constant({3}, DType::s32, Bytes(12, 0));
  const auto y = b.op(Conv2D{}, {x, w, bias}, DType::s8, per_tensor(0.25F, 3));
  return b.finish({b.op(MaxPool{2, 2, {2, 2, 1, 1, {}}, {}}, {y}, DType::s8, per_tensor(0.25F, 3))});
}

std::string error_after(const std::function<void(Graph&)>& change) {
  Graph graph = good_graph();
  change(graph);
  try {
    validate(graph);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

struct BadCase {
  std::string name, expected;
  std::function<void(Graph&)> change;
};

class Invalid : public testing::TestWithParam<BadCase> {};

TEST_P(Invalid, IsRefusedWithItsPlace) {
  const std::string message = error_after(GetParam().change);
  EXPECT_NE(message.find(GetParam().expected), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Graphs, Invalid,
    testing::Values(
        BadCase{"input_index", "operator 0 (conv2d 'op0'): expected a tensor index below 5, got 9",
                [](Graph& g) { g.operators[0].inputs[0] = 9; }},
        BadCase{"absent_weights", "expected a tensor index below 5, got -1",
                [](Graph& g) { g.operators[0].inputs[1] = -1; }},
        BadCase{"too_few_inputs", "expected 2 to 3 inputs, got 1", [](Graph& g) { g.operators[0].inputs.resize(1); }},
        BadCase{"two_outputs", "expected 1 output, got 2",
                [](Graph& g) {
                  g.operators[0].outputs = {3, 4};
                }},
        BadCase{"order", "operator 0 (max_pool 'op1'): expected inputs computed before it, got tensor 3",
                [](Graph& g) { std::swap(g.operators[0], g.operators[1]); }},
        BadCase{"written_twice", "expected an output that nothing else writes, got tensor 3",
                [](Graph& g) { g.operators.insert(g.operators.begin(), g.operators[0]); }},
        BadCase{"shape", "expected an output of shape [1, 4, 4, 3], got [1, 4, 5, 3]",
                [](Graph& g) { g.tensors[3].shape[2] = 5; }},
        BadCase{"empty_dimension", "tensor 0 ('in0')", [](Graph& g) { g.tensors[0].shape[1] = 0; }},
        BadCase{"data_size", "expected 54 bytes of data, got 53", [](Graph& g) { g.tensors[1].data.pop_back(); }},
        BadCase{"activation_data", "expected no data in an activation", [](Graph& g) { g.tensors[3].data = {1}; }},
        BadCase{
            "scale_count", "expected one scale per slice along axis 0 of [3, 3, 3, 2], got 2",
            [](Graph& g) { g.tensors[1].quantization.scale.pop_back(), g.tensors[1].quantization.zero_point.pop_back(); }},
        BadCase{"scale_axis", "expected one scale per slice along axis 3",
                [](Graph& g) { g.tensors[1].quantization.axis = 3; }},
        BadCase{"negative_scale", "expected scales above 0", [](Graph& g) { g.tensors[3].quantization.scale[0] = -1; }},
        BadCase{"nan_scale", "expected scales above 0",
                [](Graph& g) { g.tensors[3].quantization.scale[0] = std::nanf(""); }},
        BadCase{"zero_point", "expected a zero point that s8 holds, got 128",
                [](Graph& g) { g.tensors[3].quantization.zero_point[0] = 128; }},
        BadCase{"zero_point_count", "expected as many zero points as scales",
                [](Graph& g) { g.tensors[3].quantization.zero_point = {}; }},
        BadCase{"weights_zero_point", "expected weights with zero point 0",
                [](Graph& g) { g.tensors[1].quantization.zero_point[1] = 2; }},
        BadCase{"bias_type", "expected a bias of s32, got s16",
                [](Graph& g) { g.tensors[2].dtype = DType::s16, g.tensors[2].data.resize(6); }},
        BadCase{"pool_scale", "operator 1 (max_pool 'op1'): expected the same scale and zero point",
                [](Graph& g) { g.tensors[4].quantization.zero_point[0] = 4; }},
        BadCase{"float_weights", "expected weights of s8 or s4, got f32",
                [](Graph& g) { g.tensors[1].dtype = DType::f32, g.tensors[1].data.clear(); }},
        BadCase{"graph_output", "graph outputs: expected a tensor index below 5, got 7", [](Graph& g) { g.outputs = {7}; }},
        BadCase{"constant_input", "graph inputs: expected activations, each once, got tensor 1",
                [](Graph& g) { g.inputs = {1}; }},
        BadCase{"missing_input", "expected inputs computed before it, got tensor 0", [](Graph& g) { g.inputs = {}; }}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(Validate, AcceptsTheGoodGraphAndOneThatDescribesSizesOnly) {
  EXPECT_EQ(error_after([](Graph&) {}), "");
  EXPECT_EQ(error_after([](Graph& g) {
              for (Tensor& tensor : g.tensors) tensor.data.clear(), tensor.quantization = {};
            }),
            "");
  Graph graph = good_graph();
  EXPECT_TRUE(has_data(graph));
  graph.tensors[1].data.clear();
  EXPECT_FALSE(has_data(graph));
  EXPECT_THROW(Interpreter{graph}, InputError);
}

TEST(Validate, FixedOutputScales) {
  GraphBuilder b;
  const auto x = b.input({1, 4});
  const auto y = b.op(Softmax{}, {x}, DType::s8, per_tensor(1.0F / 256, -128));
  EXPECT_NO_THROW(validate(b.finish({y})));
  b.graph().tensors[y].quantization.zero_point[0] = 0;
  EXPECT_THROW(validate(b.graph()), InputError);
}

}  // namespace
}  // namespace tinynas
