/* Matrix times pixels, four pixels at a time. */
#include "tinynas/helium.h"

void tn_helium_multiply(const tn_helium_matrix* m, const int8_t* input, int32_t stride, int32_t pixels, int8_t* output) {
  tn_helium_block_args args = {.stream = m->stream,
                               .length = m->length,
                               .channels = m->output_c,
                               .zero_point = m->zero_point,
                               .low = m->low,
                               .high = m->high};
  for (; pixels > 0; pixels -= 4, input += 4 * stride, output += 4 * m->output_c) {
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t pixel = i < pixels ? i : pixels - 1;
      args.pixel[i] = input + pixel * stride;
      args.offsets[i] = (uint32_t)(pixel * m->output_c);
    }
    args.output = output;
    tn_helium_block(&args);
  }
}
