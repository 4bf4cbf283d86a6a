/* ADD with values of 4 bits. */
#include "add.h"
#include "tinynas/packed.h"
#include "values.h"

void tn_add_s4(const tn_step* step, const tn_add_s4_params* params) {
  const tn_add_params* p = &params->add;
  const tn_bits bits = params->bits;
  for (int32_t r = 0; r < step->rows; ++r) {
    tn_pad_row(step->output[r], step->x1 * p->channels, bits.output);
    for (int32_t x = step->x0; x < step->x1; ++x) {
      int32_t a = x * p->first.pixel_stride, b = x * p->second.pixel_stride;
      for (int32_t c = 0; c < p->channels; ++c, a += p->first.channel_stride, b += p->second.channel_stride) {
        const int32_t sum =
            tn_add_values(p, tn_load(step->input[r], a, bits.input), tn_load(step->second[r], b, bits.weights));
        tn_store(step->output[r], x * p->channels + c, sum, bits.output);
      }
    }
  }
}
