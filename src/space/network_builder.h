// Appends the layers of mobile networks to a sizes-only int8 graph. What build_graph and the importer share.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "graph/graph.h"

namespace tinynas {

/// One inverted bottleneck in absolute numbers. No expand convolution when `mid == in`'s channels and `expand` is false.
struct Bottleneck {
  std::int32_t kernel = 3, stride = 1, mid = 0, out = 0;
  bool expand = true;  // false: depthwise + project on the input itself (mid = input channels)
  bool residual = false;
};

/// The map that the next layer reads is "current". Every layer is named; its constants are `<name>.weight` and
/// `<name>.bias`, its output tensor `<name>.output`.
class NetworkBuilder {
 public:
  /// Starts with the input tensor "image" of [1, resolution, resolution, channels].
  NetworkBuilder(std::string name, std::int32_t resolution, std::int32_t channels);

  /// Reserves room, so that building allocates once per vector.
  void reserve(std::size_t operators);

  /// Convolution with padding kernel / 2 on all four sides: output rows = (H + 2 * (k / 2) - k) / stride + 1.
  void conv(std::string name, std::int32_t out, std::int32_t kernel, std::int32_t stride, Activation activation);
  void depthwise(std::string name, std::int32_t kernel, std::int32_t stride, Activation activation);
  /// `<prefix>expand`, `<prefix>depthwise`, `<prefix>project`, `<prefix>add`; ReLU6 on the first two.
  void bottleneck(const std::string& prefix, const Bottleneck& block);
  /// AveragePool over the whole map, to [1, 1, 1, C].
  void global_pool(std::string name);
  /// FullyConnected with bias, to [1, classes].
  void classifier(std::string name, std::int32_t classes);

  [[nodiscard]] std::size_t operators() const { return graph_.operators.size(); }
  [[nodiscard]] std::int32_t channels() const { return channels_; }
  /// Rows (and columns) of the current map.
  [[nodiscard]] std::int32_t resolution() const { return resolution_; }

  /// The finished graph; the current map is its output. The builder is empty afterwards.
  [[nodiscard]] Graph take();

 private:
  std::int32_t add_tensor(std::string name, Shape shape, DType dtype, bool constant);
  /// Weights, bias and output of a layer; the output becomes current.
  void add_layer(OperatorKind kind, std::string name, Shape weights, std::int32_t out, Shape output);

  Graph graph_;
  std::int32_t current_ = 0, channels_ = 0, resolution_ = 0;
};

}  // namespace tinynas
