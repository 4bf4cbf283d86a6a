/* A run of channels from sums to outputs. */
#include "finish.h"

void tn_finish_channels(const tn_output_stage* stage, int32_t first, int32_t count, const int32_t* sums, int8_t* out) {
  /* Copies: the compiler must assume that storing to `out` changes what `stage` points to. */
  const int32_t* multiplier = stage->multiplier + first;
  const int8_t* shift = stage->shift + first;
  const int32_t zero_point = stage->zero_point, low = stage->low, high = stage->high;
  for (; count > 0; --count) {
    const int32_t scaled = tn_requantize_fast(*sums++, *multiplier++, *shift++);
    *out++ = (int8_t)tn_clamp(scaled + zero_point, low, high);
  }
}
