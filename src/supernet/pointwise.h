// Matrix products over the pixels of blocked maps: pointwise convolutions, and the stem through rows of its windows.
#pragma once

#include <cstddef>
#include <vector>

#include "supernet/blocked.h"

namespace tinynas::kernels {

/// A weight [out, in] (element (o, i) at data[o * out_stride + i * in_stride]) that a subnet uses.
struct WeightView {
  const float* data = nullptr;
  std::size_t out_stride = 0, in_stride = 0;
  int out = 0, in = 0;
};

/// What a stem's window covers: picture [pictures, height, width, channels] floats, zeros outside.
struct Windows {
  const float* image = nullptr;
  int height = 0, width = 0, channels = 0, kernel = 0, stride = 0;
  int out_height = 0, out_width = 0;
};

/// The left factor of a product: a blocked map (through BatchNorm and ReLU6 when `affine` is given) or the stem's windows.
struct Rows {
  const float* map = nullptr;
  Affine affine;
  const Windows* windows = nullptr;
};

/// y = rows * weight^T, blocked. `sums`: receives sum and sum of squares per channel of y, [2 * 16 * blocks(out)].
void pointwise_forward(std::size_t count, const Rows& rows, const WeightView& weight, float* y, Sums* sums, int threads);

/// What the backward pass through y = rows * weight^T reads and writes.
struct PointwiseBackward {
  std::size_t count = 0;  // rows
  Rows rows;
  WeightView weight;
  const float* gradient = nullptr;  // by the normalised y, blocked
  const float* y = nullptr;
  NormGradient norm;
  /// Gradient by the map's normalised and clamped value, times ReLU6's derivative when the map has an affine; null: not
  /// wanted.
  float* map_gradient = nullptr;
  const float* added = nullptr;  // blocked, added to map_gradient (the residual path); may be null
  /// With an affine: mean per channel of the map. `sums` receives sum of g and of g * (map - mean).
  const float* map_mean = nullptr;
  Sums* sums = nullptr;
  float* weight_gradient = nullptr;  // [out, in] contiguous
};

void pointwise_backward(const PointwiseBackward& work, int threads);

}  // namespace tinynas::kernels
