/* TensorFlow Lite's two roundings on four accumulators. VQRDMULH is its doubling high multiplication; VRSHL rounds halves
 * up, so negative values are lowered by one first where the shift is to the right (right < 0). */
#ifndef TINYNAS_HELIUM_REQUANTIZE_H
#define TINYNAS_HELIUM_REQUANTIZE_H

#include <arm_mve.h>
#include <stdint.h>

static inline int32x4_t tn_round_right(int32x4_t x, int32x4_t right) {
  const int32x4_t lower = vshrq_n_s32(vandq_s32(x, right), 31);
  return vrshlq_s32(vqaddq_s32(x, lower), right);
}

static inline int32x4_t tn_saturate(int32x4_t x, int32_t zero_point, int32_t low, int32_t high) {
  return vminq_s32(vmaxq_s32(vaddq_n_s32(x, zero_point), vdupq_n_s32(low)), vdupq_n_s32(high));
}

#endif
