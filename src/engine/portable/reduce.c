/* Reductions of a whole tensor along one axis. */
#include "tinynas/reduce.h"

#include <string.h>

#include "tinynas/requantize.h"

void tn_reduce_mean(const tn_step* step, const tn_reduce_params* params) {
  const int8_t* in = step->input[0];
  int8_t* out = step->output[0];
  for (int32_t o = 0; o < params->outer; ++o, in += params->reduced * params->inner) {
    for (int32_t i = 0; i < params->inner; ++i) {
      int32_t acc = -params->input_zero_point * params->reduced;
      for (int32_t r = 0; r < params->reduced; ++r) acc += in[r * params->inner + i];
      const int32_t value = tn_requantize(acc, params->multiplier, params->shift) + params->output_zero_point;
      *out++ = (int8_t)tn_clamp(value, params->low, params->high);
    }
  }
}

void tn_reduce_max(const tn_step* step, const tn_reduce_params* params) {
  const int8_t* in = step->input[0];
  int8_t* out = step->output[0];
  for (int32_t o = 0; o < params->outer; ++o, in += params->reduced * params->inner) {
    for (int32_t i = 0; i < params->inner; ++i) {
      int8_t most = in[i];
      for (int32_t r = 1; r < params->reduced; ++r) {
        if (in[r * params->inner + i] > most) most = in[r * params->inner + i];
      }
      *out++ = most;
    }
  }
}

void tn_arg_max(const tn_step* step, const tn_reduce_params* params) {
  const int8_t* in = step->input[0];
  int8_t* out = step->output[0];
  for (int32_t o = 0; o < params->outer; ++o, in += params->reduced * params->inner) {
    for (int32_t i = 0; i < params->inner; ++i, out += sizeof(int32_t)) {
      int32_t best = 0;
      for (int32_t r = 1; r < params->reduced; ++r) {
        if (in[r * params->inner + i] > in[best * params->inner + i]) best = r;
      }
      memcpy(out, &best, sizeof best);
    }
  }
}
