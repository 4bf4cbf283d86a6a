/* A run of channels from sums to outputs. */
#include "finish.h"

/* Rounding addend and zero point in one: zp * 2^(e - 1) + 2^(e - 2) = (2 zp + 1) << (e - 2), which is small for e <= 24. */
void tn_finish_channels(const tn_output_stage* stage, int32_t first, int32_t count, const int32_t* sums, int8_t* out) {
  /* Copies: the compiler must assume that storing to `out` changes what `stage` points to. */
  const int32_t* multiplier = stage->multiplier + first;
  const int8_t* shift = stage->shift + first;
  const int32_t zero_point = stage->zero_point, low = stage->low, high = stage->high;
  const int narrow = low > -128 || high < 127;
  for (; count > 0; --count) {
    const int32_t acc = *sums++, m = *multiplier++, e = -2 - *shift++;
    int32_t value;
    if ((uint32_t)e <= 22) {
      value = (tn_high_product(acc, m) + (2 * zero_point + 1) * (INT32_C(1) << e)) >> e >> 1;
    } else {
      value = tn_requantize_fast(acc, m, -2 - e) + zero_point;
    }
    value = tn_clamp(value, -128, 127);
    if (narrow) value = tn_clamp(value, low, high);
    *out++ = (int8_t)value;
  }
}
