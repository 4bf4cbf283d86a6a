/* Pools of one output pixel from pointers to its taps; NULL taps do not count. */
#include "tinynas/pixels.h"
#include "tinynas/requantize.h"

void tn_average_pool_pixel(const tn_step* step, const tn_pool_params* params) {
  const int32_t taps = params->geometry.kernel_h * params->geometry.kernel_w;
  for (int32_t c = 0; c < params->channels; ++c) {
    int32_t sum = 0, count = 0;
    for (int32_t t = 0; t < taps; ++t) {
      if (step->input[t] == NULL) continue;
      sum += step->input[t][c];
      ++count;
    }
    step->output[0][c] = (int8_t)tn_clamp(tn_rounded_mean(sum, count), params->low, params->high);
  }
}

void tn_max_pool_pixel(const tn_step* step, const tn_pool_params* params) {
  const int32_t taps = params->geometry.kernel_h * params->geometry.kernel_w;
  for (int32_t c = 0; c < params->channels; ++c) {
    int32_t most = -128;
    for (int32_t t = 0; t < taps; ++t) {
      if (step->input[t] != NULL && step->input[t][c] > most) most = step->input[t][c];
    }
    step->output[0][c] = (int8_t)tn_clamp(most, params->low, params->high);
  }
}
