/* From a sum to an int8 output: requantise, zero point, clamp. */
#ifndef TINYNAS_PORTABLE_FINISH_H
#define TINYNAS_PORTABLE_FINISH_H

#include "tinynas/requantize.h"
#include "tinynas/window.h"

/* The upper word of acc * m + 2^30 - [acc < 0] * 2^31. With e = -shift >= 2 both roundings of tn_requantize are one floor,
 * floor((acc * m + 2^30 - [acc < 0] * 2^31 + 2^(30 + e)) / 2^(31 + e)), whose last addend lies in the upper word alone. */
static inline int32_t tn_high_product(int32_t acc, int32_t multiplier) {
  const uint32_t low = UINT32_C(0x40000000) | ((uint32_t)acc & UINT32_C(0x80000000));
  const int64_t nudge = (int64_t)(((uint64_t)(uint32_t)(acc >> 31) << 32) | low);
  return (int32_t)(((int64_t)acc * multiplier + nudge) >> 32);
}

/* tn_requantize, the usual case first. */
static inline int32_t tn_requantize_fast(int32_t acc, int32_t multiplier, int32_t shift) {
  if (shift > -2) return tn_requantize(acc, multiplier, shift);
  return (tn_high_product(acc, multiplier) + (INT32_C(1) << (-shift - 2))) >> (-shift - 1);
}

static inline int8_t tn_finish(const tn_output_stage* stage, int32_t channel, int32_t acc) {
  const int32_t scaled = tn_requantize_fast(acc, stage->multiplier[channel], stage->shift[channel]);
  return (int8_t)tn_clamp(scaled + stage->zero_point, stage->low, stage->high);
}

/* out[i] from sums[i] of channel first + i. */
void tn_finish_channels(const tn_output_stage* stage, int32_t first, int32_t count, const int32_t* sums, int8_t* out);

#endif
