/* ADD: eight values a step, both inputs scaled by VQRDMLAH. */
#include <arm_mve.h>

#include "tinynas/helium.h"

void tn_helium_add(const tn_step* step, const tn_helium_add_params* p) {
  const int32_t first_factor = p->constants[0], second_factor = p->constants[1];
  const int32x4_t addend = vdupq_n_s32(p->constants[2]);
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t* a = step->input[r] + step->x0 * p->channels;
    const int8_t* b = step->second[r] + step->x0 * p->channels;
    int8_t* out = step->output[r] + step->x0 * p->channels;
    for (int32_t left = (step->x1 - step->x0) * p->channels; left > 0; left -= 8, a += 8, b += 8, out += 8) {
      const mve_pred16_t lanes = vctp16q((uint32_t)left);
      /* Values in the upper bytes of halfwords, then of words: even ones, odd ones. */
      const int16x8_t x = vshlq_n_s16(vldrbq_z_s16(a, lanes), 8), y = vshlq_n_s16(vldrbq_z_s16(b, lanes), 8);
      const int32x4_t even = vqrdmlahq_n_s32(addend, vshllbq_n_s16(x, 16), first_factor);
      const int32x4_t odd = vqrdmlahq_n_s32(addend, vshlltq_n_s16(x, 16), first_factor);
      int16x8_t sums = vreinterpretq_s16_s32(even);
      sums = vqshrnbq_n_s32(sums, vqrdmlahq_n_s32(even, vshllbq_n_s16(y, 16), second_factor), 16);
      sums = vqshrntq_n_s32(sums, vqrdmlahq_n_s32(odd, vshlltq_n_s16(y, 16), second_factor), 16);
      const int8x16_t values = vqshrnbq_n_s16(vreinterpretq_s8_s16(sums), sums, 5);
      vstrbq_p_s16(out, vreinterpretq_s16_s8(values), lanes);
    }
  }
}
