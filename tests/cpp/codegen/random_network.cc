#include "random_network.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "graph/formats.h"
#include "graph/interpreter.h"
#include "graph/shape.h"
#include "graph/validate.h"

namespace tinynas::testing {
namespace {

class Builder {
 public:
  Builder(std::uint64_t seed, bool packed) : random_(seed), extreme_(seed % 5 == 4), packed_(packed) {}

  Graph build() {
    graph_.name = "random";
    const std::int32_t image = activation({1, in(3, 11), in(3, 11), in(1, 5)});
    if (packed_) set_bits(image, 8);
    graph_.inputs = {image};
    std::int32_t x = image;
    const std::int32_t pieces = in(1, 6);
    for (std::int32_t i = 0; i < pieces; ++i) x = piece(x);
    if (chance(50)) x = head(x);
    graph_.outputs = {x};
    infer_shapes(graph_);
    validate(graph_);
    return std::move(graph_);
  }

 private:
  std::int32_t in(std::int32_t low, std::int32_t high) {
    return std::uniform_int_distribution<std::int32_t>(low, high)(random_);
  }
  bool chance(std::int32_t percent) { return in(1, 100) <= percent; }
  const Shape& shape(std::int32_t tensor) const { return graph_.tensors[static_cast<std::size_t>(tensor)].shape; }

  float scale() { return std::exp(std::uniform_real_distribution<float>(-4.0F, -1.0F)(random_)); }

  std::int32_t add_tensor(Tensor tensor) {
    tensor.name = "t" + std::to_string(graph_.tensors.size());
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<std::int32_t>(graph_.tensors.size()) - 1;
  }

  std::int32_t activation(Shape shape) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    tensor.quantization = {{scale()}, {chance(20) ? -128 : in(-128, 127)}, 0};
    const std::int32_t index = add_tensor(std::move(tensor));
    if (packed_ && chance(60)) set_bits(index, 4);
    return index;
  }

  void set_bits(std::int32_t index, std::int32_t bits) {
    Tensor& tensor = graph_.tensors[static_cast<std::size_t>(index)];
    tensor.dtype = bits == 4 ? DType::s4 : DType::s8;
    if (bits == 4) {
      tensor.quantization.zero_point[0] /= 16;
      tensor.quantization.scale[0] *= 16;
    }
  }

  /// The output in its input's quantisation, for operators that only move values.
  std::int32_t alike(std::int32_t x, Shape shape) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    tensor.dtype = graph_.tensors[static_cast<std::size_t>(x)].dtype;
    tensor.quantization = graph_.tensors[static_cast<std::size_t>(x)].quantization;
    return add_tensor(std::move(tensor));
  }

  std::int32_t constant_s8(Shape shape, Quantization quantization) {
    Tensor tensor;
    const auto count = static_cast<std::size_t>(element_count(shape));
    tensor.shape = std::move(shape);
    tensor.quantization = std::move(quantization);
    tensor.constant = true;
    if (packed_ && chance(75)) {
      tensor.dtype = DType::s4;
      for (auto& s : tensor.quantization.scale) s *= 16;
      Bytes values;
      for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<std::uint8_t>(in(-8, 7)));
      tensor.data = pack_values(tensor, std::move(values));
    } else {
      for (std::size_t i = 0; i < count; ++i) tensor.data.push_back(static_cast<std::uint8_t>(in(-127, 127)));
    }
    return add_tensor(std::move(tensor));
  }

  std::int32_t bias(std::int32_t channels) {
    if (chance(15)) return -1;
    Tensor tensor;
    tensor.shape = {channels};
    tensor.dtype = DType::s32;
    tensor.constant = true;
    for (std::int32_t c = 0; c < channels; ++c) {
      const auto value =
          static_cast<std::uint32_t>(chance(extreme_ ? 30 : 3) ? in(-2000000000, 2000000000) : in(-20000, 20000));
      for (int shift = 0; shift < 32; shift += 8) tensor.data.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return add_tensor(std::move(tensor));
  }

  /// Scales of weights: mostly such that outputs spread over int8, some far off, so that shifts of both signs occur.
  Quantization weight_scales(std::int32_t channels, std::int32_t axis, std::int32_t depth) {
    Quantization q;
    q.axis = axis;
    const std::int32_t count = chance(20) ? 1 : channels;
    for (std::int32_t c = 0; c < count; ++c) {
      const float spread = chance(extreme_ ? 60 : 6) ? std::exp(static_cast<float>(in(-18, 10))) : 1.0F;
      q.scale.push_back(spread * scale() / (4.0F * std::sqrt(static_cast<float>(depth))));
      q.zero_point.push_back(0);
    }
    return q;
  }

  Activation activation_kind() {
    const std::int32_t draw = in(0, 3);
    return draw < 2 ? Activation::none : (draw == 2 ? Activation::relu : Activation::relu6);
  }

  std::int32_t add_operator(OperatorKind kind, std::vector<std::int32_t> inputs, std::int32_t output) {
    graph_.operators.push_back(
        {std::move(kind), "op" + std::to_string(graph_.operators.size()), std::move(inputs), {output}, -1});
    graph_.tensors[static_cast<std::size_t>(output)].shape = infer_output_shape(graph_, graph_.operators.size() - 1);
    return output;
  }

  Window window(std::int32_t x, std::int32_t kernel_h, std::int32_t kernel_w, bool dilated) {
    Window w;
    w.stride_h = in(1, 3);
    w.stride_w = chance(70) ? w.stride_h : in(1, 3);
    if (dilated && chance(15)) w.dilation_h = w.dilation_w = 2;
    const std::int32_t reach_h = (kernel_h - 1) * w.dilation_h, reach_w = (kernel_w - 1) * w.dilation_w;
    w.padding = {in(0, reach_h), in(0, reach_w), in(0, reach_h), in(0, reach_w)};
    // At least one output row and column.
    if (shape(x)[1] + w.padding.top + w.padding.bottom <= reach_h) w.padding.top = w.padding.bottom = reach_h;
    if (shape(x)[2] + w.padding.left + w.padding.right <= reach_w) w.padding.left = w.padding.right = reach_w;
    return w;
  }

  std::int32_t conv(std::int32_t x) {
    const std::int32_t kh = chance(40) ? 1 : in(1, 5), kw = chance(70) ? kh : in(1, 5);
    const std::int32_t channels = shape(x)[3];
    const std::int32_t groups = chance(15) ? channels : 1;
    // Kernels for 4 bits differ where channels fill whole words.
    const std::int32_t out = packed_ && groups == 1 && chance(50) ? 8 * in(1, 9) : groups * in(1, groups > 1 ? 2 : 20);
    const std::int32_t each = channels / groups;
    const auto weights = constant_s8({out, kh, kw, each}, weight_scales(out, 0, kh * kw * each));
    Window w = window(x, kh, kw, true);
    if (kh == 1 && kw == 1 && chance(70)) w = Window{};
    return add_operator(Conv2D{w, activation_kind()}, {x, weights, bias(out)}, activation({}));
  }

  std::int32_t depthwise(std::int32_t x) {
    const std::int32_t sizes[] = {1, 2, 3, 3, 3, 5, 7};
    const std::int32_t kh = sizes[in(0, 6)], kw = chance(85) ? kh : sizes[in(0, 6)];
    const std::int32_t out = shape(x)[3] * (chance(15) ? 2 : 1);
    const auto weights = constant_s8({1, kh, kw, out}, weight_scales(out, 3, kh * kw));
    Window w = window(x, kh, kw, true);
    if (chance(60)) {  // what networks have
      w = Window{};
      w.stride_h = w.stride_w = in(1, 2);
      w.padding = {kh / 2, kw / 2, kh / 2, kw / 2};
      if (shape(x)[1] + 2 * (kh / 2) < kh || shape(x)[2] + 2 * (kw / 2) < kw) w.padding = {kh, kw, kh, kw};
    }
    return add_operator(DepthwiseConv2D{w, activation_kind()}, {x, weights, bias(out)}, activation({}));
  }

  std::int32_t residual(std::int32_t x) {
    const std::int32_t channels = shape(x)[3];
    const auto wide = constant_s8({channels * 2, 1, 1, channels}, weight_scales(channels * 2, 0, channels));
    auto y = add_operator(Conv2D{{}, Activation::relu6}, {x, wide, bias(channels * 2)}, activation({}));
    const auto middle = constant_s8({1, 3, 3, channels * 2}, weight_scales(channels * 2, 3, 9));
    Window same;
    same.padding = {1, 1, 1, 1};
    y = add_operator(DepthwiseConv2D{same, Activation::relu6}, {y, middle, bias(channels * 2)}, activation({}));
    const auto narrow = constant_s8({channels, 1, 1, channels * 2}, weight_scales(channels, 0, channels * 2));
    y = add_operator(Conv2D{{}, Activation::none}, {y, narrow, bias(channels)}, activation({}));
    return chance(50) ? add_operator(Add{activation_kind()}, {x, y}, activation({}))
                      : add_operator(Add{activation_kind()}, {y, x}, activation({}));
  }

  std::int32_t pool(std::int32_t x) {
    const std::int32_t k = std::min({in(1, 3), shape(x)[1], shape(x)[2]});
    Window w;
    w.stride_h = w.stride_w = in(1, 2);
    if (k > 1 && chance(50)) w.padding = {0, 1, 1, 0};
    if (chance(50)) return add_operator(MaxPool{k, k, w, activation_kind()}, {x}, alike(x, {}));
    return add_operator(AveragePool{k, k, w, activation_kind()}, {x}, alike(x, {}));
  }

  std::int32_t gate(std::int32_t x) {
    const auto squeezed = add_operator(Mean{{1, 2}, true}, {x}, activation({}));
    const std::int32_t channels = shape(x)[3];
    const auto weights = constant_s8({channels, 1, 1, channels}, weight_scales(channels, 0, channels));
    const auto mixed = add_operator(Conv2D{{}, Activation::none}, {squeezed, weights, bias(channels)}, activation({}));
    const auto factor = alike(mixed, {});
    graph_.tensors[static_cast<std::size_t>(factor)].quantization = {{1.0F / 256.0F}, {-128}, 0};
    add_operator(Logistic{}, {mixed}, factor);
    return add_operator(Mul{activation_kind()}, {x, factor}, activation({}));
  }

  std::int32_t with_constant(std::int32_t x) {
    const std::int32_t channels = shape(x)[3];
    const Shape shapes[] = {{channels}, {1, 1, 1, channels}, {1}, shape(x)};
    const auto constant = constant_s8(shapes[in(0, 3)], {{scale()}, {in(-128, 127)}, 0});
    if (chance(50)) return add_operator(Mul{activation_kind()}, {x, constant}, activation({}));
    return add_operator(Add{activation_kind()}, {constant, x}, activation({}));
  }

  std::int32_t moved(std::int32_t x) {
    switch (in(0, 4)) {
      case 0:
        return add_operator(Pad{{{0, 0}, {in(0, 2), in(0, 2)}, {in(0, 2), in(0, 2)}, {chance(20) ? 1 : 0, 0}}}, {x},
                            alike(x, {}));
      case 1:
        return add_operator(ResizeNearest{}, {x}, alike(x, {1, 2 * shape(x)[1], shape(x)[2] + 1, shape(x)[3]}));
      case 2:
        return add_operator(Transpose{{0, 2, 1, 3}}, {x}, alike(x, {}));
      case 3:
        return add_operator(Concat{chance(50) ? 3 : in(1, 2)}, {x, x}, alike(x, {}));
      default:
        return add_operator(ResizeBilinear{false, chance(50)}, {x},
                            alike(x, {1, shape(x)[1] + 2, 2 * shape(x)[2], shape(x)[3]}));
    }
  }

  std::int32_t table(std::int32_t x) {
    switch (in(0, 2)) {
      case 0:
        return add_operator(HardSwish{}, {x}, activation({}));
      case 1:
        return add_operator(LeakyRelu{0.1F}, {x}, activation({}));
      default: {
        const auto out = alike(x, {});
        graph_.tensors[static_cast<std::size_t>(out)].quantization = {{1.0F / 128.0F}, {0}, 0};
        return add_operator(Tanh{}, {x}, out);
      }
    }
  }

  std::int32_t piece(std::int32_t x) {
    const std::int32_t draw = in(0, packed_ ? 73 : 99);  // later ones take 8 bits alone
    if (draw < 30) return conv(x);
    if (draw < 52) return depthwise(x);
    if (draw < 66) return residual(x);
    if (draw < 74) return pool(x);
    if (draw < 80) return gate(x);
    if (draw < 86) return with_constant(x);
    if (draw < 95) return moved(x);
    return table(x);
  }

  std::int32_t head(std::int32_t x) {
    const std::int32_t draw = in(0, 2);
    if (draw == 0) x = add_operator(AveragePool{shape(x)[1], shape(x)[2], {}, Activation::none}, {x}, alike(x, {}));
    if (draw == 1) x = add_operator(ReduceMax{{1, 2}, true}, {x}, alike(x, {}));
    const auto count = static_cast<std::int32_t>(element_count(shape(x)));
    if (packed_ && activation_bytes(shape(x), DType::s4) != byte_count(shape(x), DType::s4)) return x;
    const auto flat = add_operator(Reshape{}, {x}, alike(x, {1, count}));
    const std::int32_t classes = in(1, 9);
    const auto weights = constant_s8({classes, count}, weight_scales(classes, 0, count));
    const auto logits = add_operator(FullyConnected{activation_kind()}, {flat, weights, bias(classes)}, activation({}));
    if (packed_ || chance(50)) return logits;
    const auto out = alike(logits, {});
    graph_.tensors[static_cast<std::size_t>(out)].quantization = {{1.0F / 256.0F}, {-128}, 0};
    return add_operator(Softmax{}, {logits}, out);
  }

  std::mt19937_64 random_;
  bool extreme_;  // many multipliers and biases far from what training gives
  bool packed_;
  Graph graph_;
};

}  // namespace

Graph random_network(std::uint64_t seed) { return Builder(seed, false).build(); }

Graph random_packed_network(std::uint64_t seed) { return Builder(seed, true).build(); }

}  // namespace tinynas::testing
