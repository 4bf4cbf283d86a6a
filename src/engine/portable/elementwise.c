/* ADD, MUL, tables, PReLU. */
#include "tinynas/elementwise.h"

#include "add.h"
#include "finish.h"

void tn_add(const tn_step* step, const tn_add_params* params) {
  const int32_t channels = params->channels;
  const int dense = params->first.pixel_stride == channels && params->second.pixel_stride == channels &&
                    params->first.channel_stride == 1 && params->second.channel_stride == 1;
  const int32_t run = dense ? channels * (step->x1 - step->x0) : channels; /* values of one call */
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; x += dense ? step->x1 : 1) {
      tn_add_run(params, step->input[r] + x * params->first.pixel_stride, step->second[r] + x * params->second.pixel_stride,
                 run, step->output[r] + x * channels);
    }
  }
}

void tn_mul(const tn_step* step, const tn_mul_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    int8_t* out = step->output[r] + step->x0 * params->channels;
    for (int32_t x = step->x0; x < step->x1; ++x) {
      const int8_t* a = step->input[r] + x * params->first.pixel_stride;
      const int8_t* b = step->second[r] + x * params->second.pixel_stride;
      for (int32_t c = 0; c < params->channels; ++c, a += params->first.channel_stride, b += params->second.channel_stride) {
        const int32_t product = (*a - params->first_zero_point) * (*b - params->second_zero_point);
        const int32_t value =
            tn_requantize_fast(product, params->output_multiplier, params->output_shift) + params->output_zero_point;
        *out++ = (int8_t)tn_clamp(value, params->low, params->high);
      }
    }
  }
}

void tn_lookup(const tn_step* step, const tn_lookup_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t i = step->x0 * params->values; i < step->x1 * params->values; ++i) {
      step->output[r][i] = (int8_t)params->table[(uint8_t)step->input[r][i]];
    }
  }
}

void tn_prelu(const tn_step* step, const tn_prelu_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; ++x) {
      for (int32_t c = 0; c < params->channels; ++c) {
        const int32_t at = x * params->channels + c;
        const int32_t value = step->input[r][at] - params->input_zero_point;
        const int32_t slope = params->alpha[c] - params->alpha_zero_point;
        const int32_t result = value >= 0 ? tn_requantize_fast(value, params->identity_multiplier, params->identity_shift)
                                          : tn_requantize_fast(value * slope, params->slope_multiplier, params->slope_shift);
        step->output[r][at] = (int8_t)tn_clamp(result + params->output_zero_point, -128, 127);
      }
    }
  }
}
