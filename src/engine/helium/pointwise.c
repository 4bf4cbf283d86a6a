/* 1x1 convolution and fully connected, straight from the rows. */
#include "tinynas/helium.h"

void tn_helium_pointwise(const tn_step* step, const tn_helium_pointwise_params* params) {
  const int32_t in_c = params->matrix.length, out_c = params->matrix.output_c, width = step->x1 - step->x0;
  for (int32_t r = 0; r < step->rows;) {
    /* Rows whose pixels follow each other in memory are one long row. */
    int32_t rows = 1;
    while (r + rows < step->rows && step->input[r + rows] == step->input[r] + rows * width * in_c &&
           step->output[r + rows] == step->output[r] + rows * width * out_c) {
      ++rows;
    }
    tn_helium_multiply(&params->matrix, step->input[r] + step->x0 * in_c, in_c, rows * width,
                       step->output[r] + step->x0 * out_c);
    r += rows;
  }
}
