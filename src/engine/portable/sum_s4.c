/* Reductions over the whole map of 4-bit values, fed row by row. */
#include "tinynas/packed.h"
#include "tinynas/requantize.h"
#include "values.h"

void tn_sum_row_s4(const tn_step* step, const tn_sum_params* params) {
  int32_t* sums = (int32_t*)step->scratch;
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = 0, at = 0; x < params->width; ++x) {
      for (int32_t c = 0; c < params->channels; ++c) sums[c] += tn_load(step->input[r], at++, 4);
    }
  }
}

void tn_sum_finish_average_s4(const tn_step* step, const tn_sum_params* params) {
  const int32_t* sums = (const int32_t*)step->scratch;
  tn_pad_row(step->output[0], params->channels, 4);
  for (int32_t c = 0; c < params->channels; ++c) {
    const int32_t mean = tn_rounded_mean(sums[c], params->count);
    tn_store(step->output[0], c, tn_clamp(mean, params->low, params->high), 4);
  }
}

void tn_max_row_s4(const tn_step* step, const tn_sum_params* params) {
  int8_t* most = (int8_t*)step->scratch;
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = 0, at = 0; x < params->width; ++x) {
      for (int32_t c = 0; c < params->channels; ++c) {
        const int32_t value = tn_load(step->input[r], at++, 4);
        if (value > most[c]) most[c] = (int8_t)value;
      }
    }
  }
}

void tn_max_finish_s4(const tn_step* step, const tn_sum_params* params) {
  const int8_t* most = (const int8_t*)step->scratch;
  tn_pad_row(step->output[0], params->channels, 4);
  for (int32_t c = 0; c < params->channels; ++c) tn_store(step->output[0], c, most[c], 4);
}
