/* Sums over the map, four channels in the lanes. */
#include <arm_mve.h>

#include "tinynas/helium.h"

void tn_helium_sum_row(const tn_step* step, const tn_sum_params* p) {
  int32_t* sums = (int32_t*)step->scratch;
  for (int32_t c = 0; c < p->channels; c += 4) {
    const mve_pred16_t lanes = vctp32q((uint32_t)(p->channels - c));
    int32x4_t sum = vldrwq_z_s32(sums + c, lanes);
    for (int32_t r = 0; r < step->rows; ++r) {
      const int8_t* x = step->input[r] + c;
      for (int32_t i = p->width; i > 0; --i, x += p->channels) sum = vaddq_s32(sum, vldrbq_z_s32(x, lanes));
    }
    vstrwq_p_s32(sums + c, sum, lanes);
  }
}
