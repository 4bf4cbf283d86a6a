// Random networks for property tests: chains, residuals, branches that join, pools, gates, everything small.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace tinynas::testing {

/// Builds graphs operator by operator; every method returns the output tensor's index.
class GraphBuilder {
 public:
  explicit GraphBuilder(Shape image) {
    graph_.name = "random";
    graph_.tensors.push_back({.name = "image", .shape = std::move(image), .quantization = {}, .data = {}});
    graph_.inputs = {0};
  }

  std::int32_t conv(std::int32_t x, std::int32_t channels, std::int32_t kernel, std::int32_t stride) {
    const auto shape = shape_of(x);
    return add(Conv2D{.window = window(kernel, stride)}, {x, constant({channels, kernel, kernel, shape[3]}), -1},
               {1, out(shape[1], kernel, stride), out(shape[2], kernel, stride), channels});
  }
  std::int32_t depthwise(std::int32_t x, std::int32_t kernel, std::int32_t stride) {
    const auto shape = shape_of(x);
    return add(DepthwiseConv2D{.window = window(kernel, stride)}, {x, constant({1, kernel, kernel, shape[3]}), -1},
               {1, out(shape[1], kernel, stride), out(shape[2], kernel, stride), shape[3]});
  }
  std::int32_t join(std::int32_t a, std::int32_t b) { return add(Add{}, {a, b}, shape_of(a)); }
  std::int32_t gate(std::int32_t x, std::int32_t factor) { return add(Mul{}, {x, factor}, shape_of(x)); }
  std::int32_t concat(std::int32_t a, std::int32_t b) {
    auto shape = shape_of(a);
    shape[3] += shape_of(b)[3];
    return add(Concat{.axis = 3}, {a, b}, shape);
  }
  std::int32_t max_pool(std::int32_t x, std::int32_t kernel, std::int32_t stride) {
    const auto shape = shape_of(x);
    return add(MaxPool{.kernel_h = kernel, .kernel_w = kernel, .window = window(kernel, stride)}, {x},
               {1, out(shape[1], kernel, stride), out(shape[2], kernel, stride), shape[3]});
  }
  std::int32_t global_pool(std::int32_t x) {
    const auto shape = shape_of(x);
    return add(AveragePool{.kernel_h = shape[1], .kernel_w = shape[2], .window = {}}, {x}, {1, 1, 1, shape[3]});
  }
  std::int32_t mean(std::int32_t x) { return add(Mean{.axes = {1, 2}}, {x}, {1, 1, 1, shape_of(x)[3]}); }
  std::int32_t pad(std::int32_t x, std::int32_t amount) {
    auto shape = shape_of(x);
    shape[1] += 2 * amount;
    shape[2] += 2 * amount;
    const std::array<std::int32_t, 2> none{0, 0};
    const std::array<std::int32_t, 2> around{amount, amount};
    return add(Pad{.amounts = {none, around, around, none}}, {x}, shape);
  }
  std::int32_t logistic(std::int32_t x) { return add(Logistic{}, {x}, shape_of(x)); }
  std::int32_t transpose(std::int32_t x) {
    const auto s = shape_of(x);
    return add(Transpose{.permutation = {0, 2, 1, 3}}, {x}, {1, s[2], s[1], s[3]});
  }
  std::int32_t classifier(std::int32_t x, std::int32_t classes) {
    const auto flat = add(Reshape{}, {x}, {1, shape_of(x)[3]});
    const auto logits = add(FullyConnected{}, {flat, constant({classes, shape_of(x)[3]}), -1}, {1, classes});
    return add(Softmax{}, {logits}, {1, classes});
  }

  [[nodiscard]] const Shape& shape_of(std::int32_t x) const { return graph_.tensors[static_cast<std::size_t>(x)].shape; }

  Graph finish(std::vector<std::int32_t> outputs) {
    graph_.outputs = std::move(outputs);
    return std::move(graph_);
  }

 private:
  static Window window(std::int32_t kernel, std::int32_t stride) {
    const auto p = kernel / 2;
    return {.stride_h = stride, .stride_w = stride, .padding = {p, p, p, p}};
  }
  static std::int32_t out(std::int32_t size, std::int32_t kernel, std::int32_t stride) {
    return (size + 2 * (kernel / 2) - kernel) / stride + 1;
  }
  std::int32_t tensor(Shape shape, bool is_constant) {
    const auto index = static_cast<std::int32_t>(graph_.tensors.size());
    graph_.tensors.push_back({.name = "t" + std::to_string(index),
                              .shape = std::move(shape),
                              .quantization = {},
                              .constant = is_constant,
                              .data = {}});
    return index;
  }
  std::int32_t constant(Shape shape) { return tensor(std::move(shape), true); }
  std::int32_t add(OperatorKind kind, std::vector<std::int32_t> inputs, Shape shape) {
    const auto output = tensor(std::move(shape), false);
    graph_.operators.push_back(
        {.kind = std::move(kind), .name = "op" + std::to_string(output), .inputs = std::move(inputs), .outputs = {output}});
    return output;
  }

  Graph graph_;
};

/// How many times the usual number of random cases to try: TINYNAS_RANDOM_CASES of the environment, 1 unless set.
inline std::uint64_t random_cases() {
  const char* text = std::getenv("TINYNAS_RANDOM_CASES");
  return text == nullptr ? 1 : std::max<std::uint64_t>(1, std::strtoull(text, nullptr, 10));
}

/// Any mixture of the above; the same seed gives the same graph.
Graph random_graph(std::uint64_t seed);

/// Inverted bottlenecks alone, with residuals where they fit: what the search proposes.
Graph random_bottlenecks(std::uint64_t seed);

}  // namespace tinynas::testing
