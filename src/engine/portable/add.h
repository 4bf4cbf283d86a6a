/* The arithmetic of ADD. */
#ifndef TINYNAS_PORTABLE_ADD_H
#define TINYNAS_PORTABLE_ADD_H

#include "tinynas/elementwise.h"
#include "tinynas/requantize.h"

/* Bits that TensorFlow Lite adds to both inputs before they are brought to their common scale. */
#define ADD_LEFT_SHIFT 20

/* tn_requantize by a factor whose shift is not positive, as constants: with e = -shift it is
 *
 *     floor((2 acc * m + 2^31 + [e > 0] * (2^(31 + e) - [acc < 0] * 2^32)) / 2^(32 + e)),     |acc| < 2^30
 */
typedef struct {
  int32_t multiplier, addend, sign, shift;
} factor;

static factor factor_of(int32_t multiplier, int32_t shift) {
  const factor f = {multiplier, shift < 0 ? INT32_C(1) << (-shift - 1) : 0, shift < 0 ? -1 : 0, -shift};
  return f;
}

/* From 2 acc. */
static inline int32_t scale(int32_t twice, const factor* f) {
  const int64_t nudge =
      (int64_t)(((uint64_t)(uint32_t)(f->addend + ((twice >> 31) & f->sign)) << 32) | UINT32_C(0x80000000));
  return (int32_t)(((int64_t)twice * f->multiplier + nudge) >> 32) >> f->shift;
}

/* A row of values in steps of `first_step` and `second_step`. The inputs' shifts are never positive: their common scale is
 * at least twice theirs. */
static void tn_add_run(const tn_add_params* p, const int8_t* a, const int8_t* b, int32_t count, int8_t* out) {
  const factor first = factor_of(p->first_multiplier, p->first_shift),
               second = factor_of(p->second_multiplier, p->second_shift),
               sum = factor_of(p->output_multiplier, p->output_shift);
  const int32_t first_zero = p->first_zero_point * (1 << (ADD_LEFT_SHIFT + 1)),
                second_zero = p->second_zero_point * (1 << (ADD_LEFT_SHIFT + 1));
  const int32_t first_step = p->first.channel_stride, second_step = p->second.channel_stride;
  const int32_t zero_point = p->output_zero_point, low = p->low, high = p->high;
  const int left = p->output_shift > 0;
  for (; count > 0; --count, a += first_step, b += second_step) {
    const int32_t x = *a * (1 << (ADD_LEFT_SHIFT + 1)) - first_zero, y = *b * (1 << (ADD_LEFT_SHIFT + 1)) - second_zero;
    const int32_t total = scale(x, &first) + scale(y, &second);
    const int32_t value = left ? tn_requantize(total, sum.multiplier, p->output_shift) : scale(2 * total, &sum);
    *out++ = (int8_t)tn_clamp(value + zero_point, low, high);
  }
}

#endif
