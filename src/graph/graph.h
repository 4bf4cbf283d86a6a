// The one description of a network that every part reads: the oracle counts it, the supernet exports it, the reference
// interpreter executes it, the code generator emits it. Plain data; algorithms over it are free functions elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace tinynas {

enum class DType : std::uint8_t { f32, s8, u8, s4, s16, s32, s64 };

/// Dimensions, outermost first. Feature maps are NHWC with N = 1; vectors are [1, C].
using Shape = std::vector<std::int32_t>;

/// real = scale[i] * (q - zero_point[i]). One entry: per tensor; several: per slice along `axis`; none: not quantised.
struct Quantization {
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;
  std::int32_t axis = 0;
};

struct Tensor {
  std::string name;
  Shape shape;
  DType dtype = DType::s8;
  Quantization quantization;
  bool constant = false;
  /// Little-endian values of a constant in TensorFlow Lite's layouts (conv OHWI, depthwise 1HWC, fully connected OI; s4: two
  /// values a byte, low nibble first). Empty for activations, and for constants of a graph that only describes sizes.
  std::vector<std::uint8_t> data;
};

enum class Activation : std::uint8_t { none, relu, relu6 };

/// Zeros (in real value) added on each side.
struct Padding {
  std::int32_t top = 0, left = 0, bottom = 0, right = 0;
};

/// Geometry shared by everything that slides a window over rows and columns.
struct Window {
  std::int32_t stride_h = 1, stride_w = 1;
  std::int32_t dilation_h = 1, dilation_w = 1;
  Padding padding;
};

// Operators. Inputs by position; -1 marks an absent optional input. Kernel sizes come from the weights' shape.
struct Conv2D {  // inputs: x [1,H,W,Ci], weights [Co,kh,kw,Ci/groups], bias [Co] or -1
  Window window;
  Activation activation = Activation::none;
};
struct DepthwiseConv2D {  // inputs: x [1,H,W,C], weights [1,kh,kw,C*multiplier], bias or -1
  Window window;
  Activation activation = Activation::none;
};
struct TransposeConv {  // inputs: x, weights [Co,kh,kw,Ci], bias or -1
  Window window;
  Activation activation = Activation::none;
};
struct FullyConnected {  // inputs: x [.., Ci], weights [Co,Ci], bias or -1
  Activation activation = Activation::none;
};
struct Add {  // two inputs, broadcast as in numpy
  Activation activation = Activation::none;
};
struct Mul {
  Activation activation = Activation::none;
};
struct AveragePool {  // the padding is not counted in the divisor; a window of the whole map is the global pool
  std::int32_t kernel_h = 1, kernel_w = 1;
  Window window;
  Activation activation = Activation::none;
};
struct MaxPool {
  std::int32_t kernel_h = 1, kernel_w = 1;
  Window window;
  Activation activation = Activation::none;
};
struct Mean {
  std::vector<std::int32_t> axes;
  bool keep_dims = true;
};
struct ReduceMax {
  std::vector<std::int32_t> axes;
  bool keep_dims = true;
};
struct Pad {  // amounts[d] = {before, after}; the value is real zero
  std::vector<std::array<std::int32_t, 2>> amounts;
};
struct Reshape {};  // the output tensor holds the shape
struct Transpose {
  std::vector<std::int32_t> permutation;
};
struct Concat {
  std::int32_t axis = -1;
};
struct ResizeNearest {  // the output tensor holds the size
  bool align_corners = false, half_pixel_centers = false;
};
struct ResizeBilinear {
  bool align_corners = false, half_pixel_centers = false;
};
struct Softmax {
  float beta = 1.0F;
};
struct Logistic {};
struct Tanh {};
struct HardSwish {};
struct LeakyRelu {
  float alpha = 0.0F;
};
struct PRelu {};  // inputs: x, alpha
struct ArgMax {
  std::int32_t axis = -1;
};
struct Quantize {};    // f32 -> integer, or integer -> integer with another scale
struct Dequantize {};  // integer -> f32

using OperatorKind = std::variant<Conv2D, DepthwiseConv2D, TransposeConv, FullyConnected, Add, Mul, AveragePool, MaxPool,
                                  Mean, ReduceMax, Pad, Reshape, Transpose, Concat, ResizeNearest, ResizeBilinear, Softmax,
                                  Logistic, Tanh, HardSwish, LeakyRelu, PRelu, ArgMax, Quantize, Dequantize>;

struct Operator {
  OperatorKind kind;
  std::string name;
  std::vector<std::int32_t> inputs;   // tensor indices
  std::vector<std::int32_t> outputs;  // tensor indices
  std::int32_t source_index = -1;     // operator of the imported file that this came from, -1 if none
};

/// Operators stand in an order in which they can run.
struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Operator> operators;
  std::vector<std::int32_t> inputs;   // tensor indices
  std::vector<std::int32_t> outputs;  // tensor indices
};

}  // namespace tinynas
