/* TensorFlow Lite's fixed-point requantisation, as TensorFlow Lite Micro's reference kernels compute it. */
#ifndef TINYNAS_REQUANTIZE_H
#define TINYNAS_REQUANTIZE_H

#include <stdint.h>

/* SaturatingRoundingDoublingHighMul: round(a * b / 2^31), ties away from zero (b = multiplier >= 0 never saturates). */
static inline int32_t tn_doubling_high_mul(int32_t a, int32_t b) {
  const int64_t product = (int64_t)a * b;
  const int64_t nudge = product >= 0 ? (INT64_C(1) << 30) : 1 - (INT64_C(1) << 30);
  return (int32_t)((product + nudge) / (INT64_C(1) << 31));
}

/* RoundingDivideByPOT: round(x / 2^exponent), ties away from zero; 0 <= exponent <= 31. */
static inline int32_t tn_rounding_shift(int32_t x, int32_t exponent) {
  const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1U);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/* acc * multiplier / 2^31 * 2^shift; multiplier in [2^30, 2^31) or 0, shift in [-31, 30], positive to the left (wraps). */
static inline int32_t tn_requantize(int32_t acc, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  return tn_rounding_shift(tn_doubling_high_mul((int32_t)((uint32_t)acc << left), multiplier), right);
}

/* sum / count to nearest, ties away from zero. */
static inline int32_t tn_rounded_mean(int32_t sum, int32_t count) {
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

static inline int32_t tn_clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : (value > high ? high : value);
}

#endif
