/* 1x1 convolution and fully connected, straight from the rows. */
#include "tinynas/helium.h"

void tn_helium_pointwise(const tn_step* step, const tn_helium_pointwise_params* params) {
  const int32_t in_c = params->matrix.length, out_c = params->matrix.output_c, width = step->x1 - step->x0;
  for (int32_t r = 0; r < step->rows;) {
    const int32_t from = tn_helium_joined(step->input + r, step->rows - r, width * in_c);
    const int32_t rows = tn_helium_joined((const int8_t* const*)step->output + r, from, width * out_c);
    tn_helium_multiply(&params->matrix, step->input[r] + step->x0 * in_c, in_c, rows * width,
                       step->output[r] + step->x0 * out_c);
    r += rows;
  }
}
