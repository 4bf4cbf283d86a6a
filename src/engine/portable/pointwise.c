/* 1x1 convolution and fully connected. */
#include "matrix.h"

void tn_pointwise(const tn_step* step, const tn_pointwise_params* params) {
  const int32_t in_c = params->input_c, out_c = params->output_c;
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t* in = step->input[r] + step->x0 * in_c;
    int8_t* out = step->output[r] + step->x0 * out_c;
    int32_t left = step->x1 - step->x0;
    for (; left >= 2; left -= 2, in += 2 * in_c, out += 2 * out_c) {
      tn_multiply_2_pixels(in, in_c, params->weights, in_c, &params->stage, 0, out_c, out, out_c);
    }
    if (left > 0) tn_multiply_1_pixel(in, params->weights, in_c, &params->stage, 0, out_c, out);
  }
}
