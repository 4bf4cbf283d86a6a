/* Convolution of one output pixel from pointers to its taps. */
#include <string.h>

#include "tinynas/pixels.h"

/* Gathers a group's window, which is then a pixel of a 1x1. */
static void convolve_group(const tn_step* step, const tn_conv2d_params* p, int32_t group) {
  const int32_t group_in = p->input_c / p->groups, group_out = p->output_c / p->groups;
  const int32_t taps = p->geometry.kernel_h * p->geometry.kernel_w, depth = taps * group_in, first = group * group_out;
  int8_t* window = (int8_t*)step->scratch;
  for (int32_t t = 0; t < taps; ++t) memcpy(window + t * group_in, step->input[t] + group * group_in, (size_t)group_in);
  const tn_output_stage* stage = &p->stage;
  const tn_pointwise_params pixel = {.kernel = p->kernel,
                                     .weights = p->weights + first * depth,
                                     .stage = {stage->bias + first, stage->multiplier + first, stage->shift + first,
                                               stage->zero_point, stage->low, stage->high},
                                     .input_c = depth,
                                     .output_c = group_out};
  const int8_t* const input[1] = {window};
  int8_t* const output[1] = {step->output[0] + first};
  const tn_step one = {input, NULL, output, 0, 1, 0, 1, NULL};
  tn_pointwise(&one, &pixel);
}

void tn_conv2d_pixel(const tn_step* step, const tn_conv2d_params* params) {
  for (int32_t group = 0; group < params->groups; ++group) convolve_group(step, params, group);
}
