#include "supernet/normalise.h"

namespace tinynas::kernels {

// A plane is one picture's 16 channels; planes are dealt to threads, and their sums added up in order.

void apply_affine(const BlockedShape& shape, const float* y, const Affine& affine, const float* added, float* out,
                  int threads) {
  const int planes = shape.blocks * shape.pictures;
  const std::size_t size = shape.pixels() * kLanes;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int p = 0; p < planes; ++p) {
    const int block = p / shape.pictures;
    const Vec scale = load(affine.scale + block * kLanes);
    const Vec shift = load(affine.shift + block * kLanes);
    for (std::size_t i = p * size; i < (p + 1) * size; i += kLanes) {
      Vec v = scale * load(y + i) + shift;
      if (affine.clamp) v = relu6(v);
      if (added != nullptr) v += load(added + i);
      store(out + i, v);
    }
  }
}

void normal_gradient_sums(const BlockedShape& shape, const float* g, const float* y, const float* mean, const Affine& affine,
                          float* masked, Sums& sums, int threads) {
  const int planes = shape.blocks * shape.pictures;
  const std::size_t size = shape.pixels() * kLanes;
  const Buffer parts(static_cast<std::size_t>(planes) * 2 * kLanes);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int p = 0; p < planes; ++p) {
    const int block = p / shape.pictures;
    const Vec center = load(mean + block * kLanes);
    const Vec scale = load(affine.scale + block * kLanes);
    const Vec shift = load(affine.shift + block * kLanes);
    Vec sum = {}, product = {};
    for (std::size_t i = p * size; i < (p + 1) * size; i += kLanes) {
      const Vec value = load(y + i);
      Vec gradient = load(g + i);
      if (affine.clamp) {
        gradient = relu6_gradient(scale * value + shift, gradient);
        store(masked + i, gradient);
      }
      sum += gradient;
      product += gradient * (value - center);
    }
    store(parts.get() + p * 2 * kLanes, sum);
    store(parts.get() + (p * 2 + 1) * kLanes, product);
  }
  sums.assign(static_cast<std::size_t>(2) * shape.blocks * kLanes, 0.0);
  for (int p = 0; p < planes; ++p) {
    const int block = p / shape.pictures;
    for (int l = 0; l < kLanes; ++l) {
      sums[block * kLanes + l] += parts.get()[p * 2 * kLanes + l];
      sums[(shape.blocks + block) * kLanes + l] += parts.get()[(p * 2 + 1) * kLanes + l];
    }
  }
}

}  // namespace tinynas::kernels
