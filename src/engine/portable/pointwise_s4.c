/* 1x1 convolution and fully connected with values of 4 bits. */
#include "matrix_s4.h"

void tn_pointwise_s4(const tn_step* step, const tn_pointwise_s4_params* params) {
  const int32_t in_c = params->pointwise.input_c, out_c = params->pointwise.output_c;
  for (int32_t r = 0; r < step->rows; ++r) {
    tn_pad_row(step->output[r], step->x1 * out_c, params->bits.output);
    for (int32_t x = step->x0; x < step->x1; x += 2) {
      tn_pixels pixels = {step->input[r] + x * in_c, in_c, step->x1 - x < 2 ? 1 : 2, step->output[r], x * out_c};
      if (params->bits.input == 4) {
        tn_unpack(step->input[r], x * in_c, pixels.count * in_c, (int8_t*)step->scratch);
        pixels.input = (const int8_t*)step->scratch;
      }
      tn_multiply_pixels_s4(&pixels, params->pointwise.weights, in_c, &params->pointwise.stage, 0, out_c, out_c,
                            &params->bits);
    }
  }
}
