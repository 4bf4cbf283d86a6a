// Sixteen floats at a time: the unit of the blocked layout (blocked.h). Compiles for any processor; one register with
// AVX-512.
#pragma once

namespace tinynas::kernels {

constexpr int kLanes = 16;

// may_alias: memory holds plain floats.
using Vec = float __attribute__((vector_size(64), may_alias));

/// From memory aligned to 64 bytes, as everything in the blocked layout is.
inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }

inline Vec relu6(Vec v) {
  const Vec zero = {};
  const Vec six = zero + 6.0F;
  v = v > zero ? v : zero;
  return v < six ? v : six;
}

/// g where 0 < pre < 6, else 0: the derivative of relu6.
inline Vec relu6_gradient(Vec pre, Vec g) {
  const Vec zero = {};
  const Vec six = zero + 6.0F;
  g = pre > zero ? g : zero;
  return pre < six ? g : zero;
}

}  // namespace tinynas::kernels
