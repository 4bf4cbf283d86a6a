// Small graphs for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "graph/interpreter.h"
#include "graph/shape.h"

namespace tinynas::test {

template <class T>
Bytes to_bytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::vector<T> from_bytes(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline Quantization per_tensor(float scale, std::int32_t zero_point) { return {{scale}, {zero_point}, 0}; }

class GraphBuilder {
 public:
  std::int32_t input(Shape shape, DType dtype = DType::s8, Quantization q = per_tensor(0.5F, 0)) {
    const std::int32_t index =
        add({"in" + std::to_string(graph_.tensors.size()), std::move(shape), dtype, std::move(q), false, {}});
    graph_.inputs.push_back(index);
    return index;
  }
  std::int32_t constant(Shape shape, DType dtype, Bytes data, Quantization q = {}) {
    return add({"c" + std::to_string(graph_.tensors.size()), std::move(shape), dtype, std::move(q), true, std::move(data)});
  }
  /// Appends an operator; the output's shape is inferred unless given.
  std::int32_t op(OperatorKind kind, std::vector<std::int32_t> inputs, DType dtype = DType::s8,
                  Quantization q = per_tensor(0.5F, 0), Shape shape = {}) {
    const std::int32_t index =
        add({"t" + std::to_string(graph_.tensors.size()), std::move(shape), dtype, std::move(q), false, {}});
    graph_.operators.push_back(
        {std::move(kind), "op" + std::to_string(graph_.operators.size()), std::move(inputs), {index}, -1});
    graph_.tensors[index].shape = infer_output_shape(graph_, graph_.operators.size() - 1);
    return index;
  }
  Graph finish(std::vector<std::int32_t> outputs) {
    graph_.outputs = std::move(outputs);
    graph_.name = "test";
    return graph_;
  }
  Graph& graph() { return graph_; }

 private:
  std::int32_t add(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<std::int32_t>(graph_.tensors.size() - 1);
  }
  Graph graph_;
};

inline std::vector<std::int8_t> random_s8(std::mt19937& rng, std::size_t count) {
  std::uniform_int_distribution<std::int32_t> values(-128, 127);
  std::vector<std::int8_t> result(count);
  for (auto& value : result) value = static_cast<std::int8_t>(values(rng));
  return result;
}

inline std::vector<float> random_f32(std::mt19937& rng, std::size_t count) {
  std::normal_distribution<float> values;
  std::vector<float> result(count);
  for (auto& value : result) value = values(rng);
  return result;
}

}  // namespace tinynas::test
