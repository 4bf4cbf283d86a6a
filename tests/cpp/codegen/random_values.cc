#include "random_values.h"

#include <cmath>
#include <random>
#include <variant>

#include "graph/operators.h"
#include "graph/shape.h"

namespace tinynas::testing {
namespace {

class Filler {
 public:
  Filler(Graph graph, std::uint64_t seed) : graph_(std::move(graph)), random_(seed) {}

  Graph fill() {
    for (const auto input : graph_.inputs) quantize(at(input));
    for (const auto& op : graph_.operators) {
      const bool keeps = std::holds_alternative<AveragePool>(op.kind) || std::holds_alternative<Reshape>(op.kind);
      if (keeps) {
        at(op.outputs[0]).quantization = at(op.inputs[0]).quantization;
      } else {
        quantize(at(op.outputs[0]));
      }
      if (op.inputs.size() > 1 && at(op.inputs[1]).constant) fill_weights(op);
      if (op.inputs.size() > 2 && op.inputs[2] >= 0) fill_bias(at(op.inputs[2]));
    }
    return std::move(graph_);
  }

 private:
  Tensor& at(std::int32_t tensor) { return graph_.tensors[static_cast<std::size_t>(tensor)]; }
  std::int32_t in(std::int32_t low, std::int32_t high) {
    return std::uniform_int_distribution<std::int32_t>(low, high)(random_);
  }

  void quantize(Tensor& tensor) {
    tensor.dtype = DType::s8;
    tensor.quantization = {{std::exp(std::uniform_real_distribution<float>(-4.0F, -1.0F)(random_))}, {in(-128, 100)}, 0};
  }

  /// Scales such that outputs spread over int8.
  void fill_weights(const Operator& op) {
    auto& weights = at(op.inputs[1]);
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(op.kind);
    const auto channels = static_cast<std::size_t>(depthwise ? weights.shape.back() : weights.shape.front());
    const auto count = static_cast<std::size_t>(element_count(weights.shape));
    weights.dtype = DType::s8;
    weights.data.clear();
    for (std::size_t i = 0; i < count; ++i) weights.data.push_back(static_cast<std::uint8_t>(in(-127, 127)));
    const float spread = 80.0F * std::sqrt(static_cast<float>(count / channels));
    const float same = at(op.outputs[0]).quantization.scale[0] / at(op.inputs[0]).quantization.scale[0];
    weights.quantization = {{}, {}, depthwise ? 3 : 0};
    for (std::size_t c = 0; c < channels; ++c) {
      weights.quantization.scale.push_back(same / spread * (0.5F + 0.01F * static_cast<float>(in(0, 100))));
      weights.quantization.zero_point.push_back(0);
    }
  }

  void fill_bias(Tensor& bias) {
    bias.dtype = DType::s32;
    bias.data.clear();
    for (std::int64_t c = element_count(bias.shape); c > 0; --c) {
      const auto value = static_cast<std::uint32_t>(in(-5000, 5000));
      for (int shift = 0; shift < 32; shift += 8) bias.data.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  }

  Graph graph_;
  std::mt19937_64 random_;
};

}  // namespace

Graph with_random_values(Graph graph, std::uint64_t seed) { return Filler(std::move(graph), seed).fill(); }

}  // namespace tinynas::testing
