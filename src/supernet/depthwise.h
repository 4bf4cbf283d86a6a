// Depthwise convolution over blocked maps, forward and backward, with BatchNorm and ReLU6 of its input computed on the way.
#pragma once

#include "supernet/blocked.h"

namespace tinynas::kernels {

/// Padding is kernel / 2 on all sides; output rows = (rows + 2 * (kernel / 2) - kernel) / stride + 1.
struct DepthwiseWork {
  BlockedShape in, out;
  int kernel = 3, stride = 1;
  const float* x = nullptr;       // blocked, before `affine`
  Affine affine;                  // of the input
  const float* weight = nullptr;  // [blocks][kernel * kernel][16]
  int threads = 1;
};

/// y, and when `sums` is not null sum and sum of squares per channel of y.
void depthwise_forward(const DepthwiseWork& work, float* y, Sums* sums);

struct DepthwiseBackward {
  const float* gradient = nullptr;  // by the normalised y
  const float* y = nullptr;
  NormGradient norm;
  /// By the input's normalised and clamped value, times ReLU6's derivative when the input has an affine.
  float* x_gradient = nullptr;
  const float* added = nullptr;   // added to x_gradient (the residual path); may be null
  const float* x_mean = nullptr;  // with an affine, for `sums`: sum of g and of g * (x - mean)
  Sums* sums = nullptr;
  float* weight_gradient = nullptr;  // [blocks][kernel * kernel][16]
};

void depthwise_backward(const DepthwiseWork& work, const DepthwiseBackward& backward);

}  // namespace tinynas::kernels
