/* 1x1 convolution and fully connected. */
#include "matrix.h"

void tn_pointwise(const tn_step* step, const tn_pointwise_params* params) {
  const int32_t in_c = params->input_c, out_c = params->output_c, width = step->x1 - step->x0;
  tn_matrix matrix = tn_matrix_of(params->kernel, &params->stage, params->weights, in_c, 0, out_c);
  tn_pixel_pair* pair = &matrix.pair;
  /* Pairs run on from row to row: a row of odd width shares its last pixel's block with the next row. */
  int32_t row = 0, x = 0;
  for (int32_t left = step->rows * width; left > 0; left -= 2) {
    pair->pixels = left < 2 ? 1 : 2;
    for (int32_t i = 0; i < pair->pixels; ++i) {
      pair->pixel[i] = step->input[row] + (step->x0 + x) * in_c;
      pair->output[i] = step->output[row] + (step->x0 + x) * out_c;
      if (++x == width) {
        x = 0;
        ++row;
      }
    }
    tn_multiply(&matrix);
  }
}
