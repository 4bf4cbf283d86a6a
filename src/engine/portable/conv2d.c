/* Convolution: gathers the windows of TN_IM2COL_PIXELS output pixels into scratch, then multiplies them as pixels of a 1x1.
 */
#include <string.h>

#include "matrix.h"
#include "tinynas/scratch.h"

/* Words where they last: the C library's memcpy for small cores goes byte by byte. */
static void copy(int8_t* to, const int8_t* from, int32_t bytes) {
  for (; bytes >= 8; bytes -= 8, to += 8, from += 8) {
    memcpy(to, from, 4);
    memcpy(to + 4, from + 4, 4);
  }
  for (; bytes > 0; --bytes) *to++ = *from++;
}

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
      copy(out, row + start * count, row_bytes);
    } else {
      for (int32_t kx = 0; kx < g->kernel_w; ++kx) {
        const int32_t column = start + kx * g->dilation_w;
        int8_t* to = out + kx * count;
        if (column < 0 || column >= g->input_w) {
          memset(to, p->input_zero_point, (size_t)count);
        } else {
          copy(to, row + column * p->input_c + first, count);
        }
      }
    }
  }
}

static void convolve(const tn_step* step, const tn_conv2d_params* p, int32_t group) {
  const int32_t group_in = p->input_c / p->groups, group_out = p->output_c / p->groups, width = step->x1 - step->x0;
  const int32_t depth = p->geometry.kernel_h * p->geometry.kernel_w * group_in;
  const int32_t first = group * group_out;
  tn_matrix matrix = tn_matrix_of(p->kernel, &p->stage, p->weights + first * depth, depth, first, group_out);
  tn_pixel_pair* pair = &matrix.pair;
  int32_t row = 0, x = step->x0;
  for (int32_t left = step->rows * width; left > 0; left -= 2) {
    pair->pixels = left < 2 ? 1 : 2;
    for (int32_t i = 0; i < pair->pixels; ++i) {
      int8_t* window = (int8_t*)step->scratch + i * depth;
      gather(p, step->input + row * p->geometry.stride_h, x, group * group_in, group_in, window);
      pair->pixel[i] = window;
      pair->output[i] = step->output[row] + x * p->output_c + first;
      if (++x == step->x1) {
        x = step->x0;
        ++row;
      }
    }
    tn_multiply(&matrix);
  }
}

void tn_conv2d(const tn_step* step, const tn_conv2d_params* params) {
  for (int32_t group = 0; group < params->groups; ++group) convolve(step, params, group);
}
