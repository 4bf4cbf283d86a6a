/* Depthwise convolution of a whole planar map of 3 x 3. */
#include "for_size.h"
#include "tinynas/dsp.h"

TN_FOR_SIZE void tn_dsp_depthwise_map_3x3(const tn_step* step, const tn_dsp_depthwise_params* params) {
  const int8_t* const* rows = step->input + 1; /* the first one is padding */
  const tn_dsp_map map = {.rows = {rows[0], rows[1], rows[2]},
                          .weights = params->weights,
                          .output = step->output[0],
                          .stride = params->channels,
                          .row_bytes = (int32_t)(step->output[1] - step->output[0]),
                          .channels = params->channels};
  tn_dsp_map_3x3(&map);
}
