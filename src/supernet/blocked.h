// The layout of feature maps inside the fused kernels: [channel block][picture][row][column][16 channels], floats, 64-byte
// aligned; channels past the last are zero. Pixels of all pictures follow each other, so that pointwise convolutions are
// matrix products over `rows()` rows, and a depthwise plane of 16 channels is contiguous.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "supernet/vec.h"

namespace tinynas::kernels {

struct BlockedShape {
  int blocks = 0, pictures = 0, height = 0, width = 0;

  [[nodiscard]] std::size_t pixels() const { return static_cast<std::size_t>(height) * width; }
  [[nodiscard]] std::size_t rows() const { return pictures * pixels(); }
  /// Floats from one channel block to the next.
  [[nodiscard]] std::size_t block_stride() const { return rows() * kLanes; }
};

inline int blocks_of(int channels) { return (channels + kLanes - 1) / kLanes; }

/// BatchNorm with or without ReLU6, per channel: z = scale * y + shift. Null `scale`: z = y.
struct Affine {
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool clamp = true;
};

/// Backward through BatchNorm with batch statistics, per channel: dy = of_gradient * g + of_value * y + constant, where y is
/// what was normalised and g the gradient by the normalised value. Null: dy = g.
struct NormGradient {
  const float* of_gradient = nullptr;
  const float* of_value = nullptr;
  const float* constant = nullptr;
};

/// Per-channel sums of a map: what batch statistics, or the backward pass through them, need.
using Sums = std::vector<double>;

/// Uninitialised floats, 64-byte aligned.
class Buffer {
 public:
  explicit Buffer(std::size_t count)
      : data_(static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64 + 64))) {
    if (!data_) throw std::bad_alloc();
  }
  [[nodiscard]] float* get() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
};

}  // namespace tinynas::kernels
