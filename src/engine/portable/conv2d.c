/* Convolution: gathers the windows of TN_IM2COL_PIXELS output pixels into scratch, then multiplies them as pixels of a 1x1.
 */
#include <string.h>

#include "matrix.h"
#include "tinynas/scratch.h"

/* The window of output column x, channels [first, first + count) of every tap, to `out`. `rows` are the window's rows. */
static void gather(const tn_conv2d_params* p, const int8_t* const* rows, int32_t x, int32_t first, int32_t count,
                   int8_t* out) {
  const tn_geometry* g = &p->geometry;
  const int32_t start = x * g->stride_w - g->pad_left;
  const int32_t extent = (g->kernel_w - 1) * g->dilation_w + 1;
  const int32_t row_bytes = g->kernel_w * count;
  const int inside = start >= 0 && start + extent <= g->input_w && g->dilation_w == 1 && count == p->input_c;
  for (int32_t ky = 0; ky < g->kernel_h; ++ky, out += row_bytes) {
    const int8_t* row = rows[ky * g->dilation_h];
    if (row == NULL) {
      memset(out, p->input_zero_point, (size_t)row_bytes);
    } else if (inside) {
      memcpy(out, row + start * count, (size_t)row_bytes);
    } else {
      for (int32_t kx = 0; kx < g->kernel_w; ++kx) {
        const int32_t column = start + kx * g->dilation_w;
        int8_t* to = out + kx * count;
        if (column < 0 || column >= g->input_w) {
          memset(to, p->input_zero_point, (size_t)count);
        } else {
          memcpy(to, row + column * p->input_c + first, (size_t)count);
        }
      }
    }
  }
}

static void convolve_row(const tn_step* step, const tn_conv2d_params* p, const int8_t* const* rows, int8_t* out_row,
                         int32_t group) {
  const int32_t group_in = p->input_c / p->groups, group_out = p->output_c / p->groups;
  const int32_t depth = p->geometry.kernel_h * p->geometry.kernel_w * group_in;
  const int32_t first = group * group_out;
  const int8_t* weights = p->weights + first * depth;
  int8_t* windows = (int8_t*)step->scratch;
  int32_t x = step->x0;
  for (; x + 1 < step->x1; x += 2) {
    gather(p, rows, x, group * group_in, group_in, windows);
    gather(p, rows, x + 1, group * group_in, group_in, windows + depth);
    tn_multiply_2_pixels(windows, depth, weights, depth, &p->stage, first, first + group_out, out_row + x * p->output_c,
                         p->output_c);
  }
  if (x < step->x1) {
    gather(p, rows, x, group * group_in, group_in, windows);
    tn_multiply_1_pixel(windows, weights, depth, &p->stage, first, first + group_out, out_row + x * p->output_c);
  }
}

void tn_conv2d(const tn_step* step, const tn_conv2d_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t group = 0; group < params->groups; ++group) {
      convolve_row(step, params, step->input + r * params->geometry.stride_h, step->output[r], group);
    }
  }
}
