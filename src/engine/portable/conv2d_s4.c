/* Convolution with values of 4 bits: windows are gathered as int8, then multiplied as pixels of a 1x1. */
#include <string.h>

#include "matrix_s4.h"
#include "tinynas/scratch.h"

/* The window of output column x, channels [first, first + count) of every tap, to `out`. */
static void gather(const tn_conv2d_s4_params* params, const int8_t* const* rows, int32_t x, int32_t first, int32_t count,
                   int8_t* out) {
  const tn_conv2d_params* p = &params->conv;
  const tn_geometry* g = &p->geometry;
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* row = rows[ky * g->dilation_h];
    for (int32_t kx = 0; kx < g->kernel_w; ++kx, out += count) {
      const int32_t column = x * g->stride_w - g->pad_left + kx * g->dilation_w;
      if (row == NULL || column < 0 || column >= g->input_w) {
        memset(out, p->input_zero_point, (size_t)count);
      } else if (params->bits.input == 4) {
        tn_unpack(row, column * p->input_c + first, count, out);
      } else {
        memcpy(out, row + column * p->input_c + first, (size_t)count);
      }
    }
  }
}

static void convolve_row(const tn_step* step, const tn_conv2d_s4_params* params, int32_t r, int32_t group) {
  const tn_conv2d_params* p = &params->conv;
  const int8_t* const* rows = step->input + r * p->geometry.stride_h;
  const int32_t group_in = p->input_c / p->groups, group_out = p->output_c / p->groups;
  const int32_t depth = p->geometry.kernel_h * p->geometry.kernel_w * group_in;
  const int32_t group_bytes = tn_group_bytes_s4(depth, group_out, params->bits.weights);
  int8_t* windows = (int8_t*)step->scratch;
  for (int32_t x = step->x0; x < step->x1; x += TN_IM2COL_PIXELS) {
    const int32_t left = step->x1 - x, count = left < TN_IM2COL_PIXELS ? left : TN_IM2COL_PIXELS;
    const tn_pixels pixels = {windows, depth, count, step->output[r], x * p->output_c};
    for (int32_t i = 0; i < count; ++i) gather(params, rows, x + i, group * group_in, group_in, windows + i * depth);
    tn_multiply_pixels_s4(&pixels, p->weights + group * group_bytes, depth, &p->stage, group * group_out,
                          (group + 1) * group_out, p->output_c, &params->bits);
  }
}

void tn_conv2d_s4(const tn_step* step, const tn_conv2d_s4_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    tn_pad_row(step->output[r], step->x1 * params->conv.output_c, params->bits.output);
    for (int32_t group = 0; group < params->conv.groups; ++group) convolve_row(step, params, r, group);
  }
}
