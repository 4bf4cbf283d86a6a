/* Reductions over the whole map, fed row by row. */
#include <string.h>

#include "tinynas/reduce.h"
#include "tinynas/requantize.h"

void tn_sum_start(const tn_step* step, const tn_sum_params* params) {
  memset(step->scratch, 0, (size_t)params->channels * sizeof(int32_t));
}

void tn_sum_row(const tn_step* step, const tn_sum_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t* x = step->input[r];
    for (int32_t column = 0; column < params->width; ++column) {
      int32_t* sum = (int32_t*)step->scratch;
      for (int32_t c = params->channels; c > 0; --c) *sum++ += *x++;
    }
  }
}

void tn_sum_finish_average(const tn_step* step, const tn_sum_params* params) {
  const int32_t* sums = (const int32_t*)step->scratch;
  const int32_t count = params->count;
  for (int32_t c = 0; c < params->channels; ++c) {
    step->output[0][c] = (int8_t)tn_clamp(tn_rounded_mean(sums[c], count), params->low, params->high);
  }
}

void tn_sum_finish_mean(const tn_step* step, const tn_sum_params* params) {
  const int32_t* sums = (const int32_t*)step->scratch;
  for (int32_t c = 0; c < params->channels; ++c) {
    const int32_t acc = sums[c] - params->input_zero_point * params->count;
    const int32_t value = tn_requantize(acc, params->multiplier, params->shift) + params->output_zero_point;
    step->output[0][c] = (int8_t)tn_clamp(value, params->low, params->high);
  }
}

void tn_max_start(const tn_step* step, const tn_sum_params* params) {
  memset(step->scratch, -128, (size_t)params->channels);
}

void tn_max_row(const tn_step* step, const tn_sum_params* params) {
  int8_t* most = (int8_t*)step->scratch;
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t* x = step->input[r];
    for (int32_t column = 0; column < params->width; ++column) {
      for (int32_t c = 0; c < params->channels; ++c, ++x) {
        if (*x > most[c]) most[c] = *x;
      }
    }
  }
}

void tn_max_finish(const tn_step* step, const tn_sum_params* params) {
  memcpy(step->output[0], step->scratch, (size_t)params->channels);
}
