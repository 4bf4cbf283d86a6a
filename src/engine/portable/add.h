/* The arithmetic of ADD, for values of any width. */
#ifndef TINYNAS_PORTABLE_ADD_H
#define TINYNAS_PORTABLE_ADD_H

#include "finish.h"
#include "tinynas/elementwise.h"

/* Bits that TensorFlow Lite adds to both inputs before they are brought to their common scale. */
#define TN_ADD_LEFT_SHIFT 20

static inline int32_t tn_add_values(const tn_add_params* p, int32_t first, int32_t second) {
  const int32_t a = (first - p->first_zero_point) * (1 << TN_ADD_LEFT_SHIFT);
  const int32_t b = (second - p->second_zero_point) * (1 << TN_ADD_LEFT_SHIFT);
  const int32_t sum = tn_requantize_fast(a, p->first_multiplier, p->first_shift) +
                      tn_requantize_fast(b, p->second_multiplier, p->second_shift);
  const int32_t value = tn_requantize_fast(sum, p->output_multiplier, p->output_shift) + p->output_zero_point;
  return tn_clamp(value, p->low, p->high);
}

#endif
