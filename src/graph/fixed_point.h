// TensorFlow Lite's fixed-point arithmetic with double rounding, the one that every integer kernel here follows.
//
// A real multiplier M > 0 is q · 2^(shift − 31) with q in [2^30, 2^31). Requantisation of an accumulator:
//   multiply_by_quantized_multiplier(acc, {q, shift})
//     = rounding_divide_by_pot(saturating_rounding_doubling_high_mul(acc << max(shift, 0), q), max(−shift, 0))
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "graph/graph.h"

namespace tinynas {

struct QuantizedMultiplier {
  std::int32_t multiplier = 0;  // Q31, 0 or in [2^30, 2^31)
  std::int32_t shift = 0;       // to the left; negative: to the right
};

/// The nearest fixed-point form of `real` >= 0. Below 2^-32 it is zero; above 2^31 it saturates.
inline QuantizedMultiplier quantize_multiplier(double real) {
  if (real == 0.0) return {};
  int exponent = 0;
  const double fraction = std::frexp(real, &exponent);
  auto q = static_cast<std::int64_t>(std::round(fraction * static_cast<double>(std::int64_t{1} << 31)));
  if (q == std::int64_t{1} << 31) {
    q /= 2;
    ++exponent;
  }
  if (exponent < -31) return {};
  if (exponent > 30) return {std::numeric_limits<std::int32_t>::max(), 30};
  return {static_cast<std::int32_t>(q), exponent};
}

/// round(a · b / 2^31), ties away from zero for positive products, towards zero for negative ones; saturates where a = b =
/// −2^31.
inline std::int32_t saturating_rounding_doubling_high_mul(std::int32_t a, std::int32_t b) {
  if (a == b && a == std::numeric_limits<std::int32_t>::min()) return std::numeric_limits<std::int32_t>::max();
  const std::int64_t product = std::int64_t{a} * b;
  const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
  return static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
}

/// x / 2^exponent, rounded to nearest, ties away from zero; exponent in 0..31.
inline std::int32_t rounding_divide_by_pot(std::int32_t x, std::int32_t exponent) {
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// x · 2^shift with the overflow cut off, as the reference's `x * (1 << shift)` behaves on every machine.
inline std::int32_t shift_left_wrapping(std::int32_t x, std::int32_t shift) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << shift);
}

inline std::int32_t multiply_by_quantized_multiplier(std::int32_t x, QuantizedMultiplier m) {
  const std::int32_t left = std::max(m.shift, 0), right = std::max(-m.shift, 0);
  return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(shift_left_wrapping(x, left), m.multiplier), right);
}

/// Closed range that an output is clamped to.
struct ClampRange {
  std::int32_t low = 0, high = 0;
};

/// The clamp of a fused activation in the output's scale: [low, high] of the type, cut to real 0 and 6 where asked.
inline ClampRange activation_range(Activation activation, float scale, std::int32_t zero_point, ClampRange type) {
  const auto quantized = [&](float real) {
    const double q = zero_point + std::round(static_cast<double>(real / scale));
    return static_cast<std::int32_t>(
        std::clamp<double>(q, std::numeric_limits<std::int32_t>::min() / 2, std::numeric_limits<std::int32_t>::max() / 2));
  };
  if (activation == Activation::none) return type;
  const std::int32_t low = std::max(type.low, quantized(0.0F));
  return {low, activation == Activation::relu6 ? std::min(type.high, quantized(6.0F)) : type.high};
}

}  // namespace tinynas
