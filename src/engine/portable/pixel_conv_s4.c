/* Convolution of one output pixel from pointers to its taps, with values of 4 bits. */
#include <string.h>

#include "matrix_s4.h"

/* Gathers a group's window as int8, which is then a pixel of a 1x1. */
static void convolve_group(const tn_step* step, const tn_conv2d_s4_params* params, int32_t group) {
  const tn_conv2d_params* p = &params->conv;
  const int32_t group_in = p->input_c / p->groups, group_out = p->output_c / p->groups;
  const int32_t taps = p->geometry.kernel_h * p->geometry.kernel_w, depth = taps * group_in;
  int8_t* window = (int8_t*)step->scratch;
  const tn_pixels pixel = {window, depth, 1, step->output[0], 0};
  for (int32_t t = 0; t < taps; ++t, window += group_in) {
    if (params->bits.input == 4) {
      tn_unpack(step->input[t], group * group_in, group_in, window);
    } else {
      memcpy(window, step->input[t] + group * group_in, (size_t)group_in);
    }
  }
  tn_multiply_pixels_s4(&pixel, p->weights + group * tn_group_bytes_s4(depth, group_out, params->bits.weights), depth,
                        &p->stage, group * group_out, (group + 1) * group_out, p->output_c, &params->bits);
}

void tn_conv2d_pixel_s4(const tn_step* step, const tn_conv2d_s4_params* params) {
  tn_pad_row(step->output[0], params->conv.output_c, params->bits.output);
  for (int32_t group = 0; group < params->conv.groups; ++group) convolve_group(step, params, group);
}
