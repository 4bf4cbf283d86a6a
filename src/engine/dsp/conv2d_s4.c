/* Convolution into 4-bit values: a row is computed as int8 in front of the other scratch, then packed. */
#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

void tn_dsp_conv2d_s4(const tn_step* step, const tn_dsp_conv2d_params* params) {
  const int32_t values = params->width * params->matrix.pixel_bytes;
  int8_t* const wide[1] = {step->scratch};
  tn_step row = *step;
  row.output = wide;
  row.rows = 1;
  row.scratch = wide[0] + tn_round_up4(values);
  for (int32_t r = 0; r < step->rows; ++r) {
    row.input = step->input + r * params->geometry.stride_h;
    tn_dsp_conv2d(&row, params);
    tn_dsp_pack_s4(wide[0], step->output[r], values / 4, 2);
  }
}
