/* 1x1 convolution and fully connected. */
#include "matrix.h"

void tn_pointwise(const tn_step* step, const tn_pointwise_params* params) {
  const int32_t in_c = params->input_c, out_c = params->output_c;
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; x += 2) {
      const int32_t pixels = step->x1 - x < 2 ? 1 : 2;
      tn_multiply_pixels(step->input[r] + x * in_c, in_c, pixels, params->weights, in_c, &params->stage, 0, out_c,
                         step->output[r] + x * out_c, out_c);
    }
  }
}
