/* float at the network's ends. */
#include <string.h>

#include "tinynas/elementwise.h"
#include "tinynas/requantize.h"

/* round half away from zero, saturated far outside int8 */
static int32_t round_to_int(float value) {
  if (!(value > -1.0e6F)) return -1000000; /* NaN too */
  if (value > 1.0e6F) return 1000000;
  const int32_t whole = (int32_t)value;
  const float rest = value - (float)whole;
  return whole + (rest >= 0.5F ? 1 : 0) - (rest <= -0.5F ? 1 : 0);
}

void tn_quantize_f32(const tn_step* step, const tn_convert_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t i = step->x0 * params->values; i < step->x1 * params->values; ++i) {
      float value;
      memcpy(&value, step->input[r] + (size_t)i * sizeof value, sizeof value);
      step->output[r][i] = (int8_t)tn_clamp(round_to_int(value / params->scale) + params->zero_point, -128, 127);
    }
  }
}

void tn_dequantize_f32(const tn_step* step, const tn_convert_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t i = step->x0 * params->values; i < step->x1 * params->values; ++i) {
      const float value = params->scale * (float)(step->input[r][i] - params->zero_point);
      memcpy(step->output[r] + (size_t)i * sizeof value, &value, sizeof value);
    }
  }
}
