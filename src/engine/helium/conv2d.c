/* Convolution: windows of some output pixels gathered one after the other, then multiplied as pixels are. */
#include <string.h>

#include "tinynas/helium.h"

/* Kernel row of one window: `kernel_w` columns from `first` on, padding outside the map. */
static void gather_row(const tn_helium_conv2d_params* p, const int8_t* row, int32_t first, int8_t* window) {
  const int32_t c = p->input_c, columns = p->geometry.kernel_w, step = p->geometry.dilation_w;
  if (row != NULL && step == 1 && first >= 0 && first + columns <= p->geometry.input_w) {
    memcpy(window, row + first * c, (size_t)(columns * c));
    return;
  }
  for (int32_t j = 0; j < columns; ++j, window += c) {
    const int32_t x = first + j * step;
    if (row != NULL && x >= 0 && x < p->geometry.input_w) {
      memcpy(window, row + x * c, (size_t)c);
    } else {
      memset(window, p->input_zero_point, (size_t)c);
    }
  }
}

void tn_helium_conv2d(const tn_step* step, const tn_helium_conv2d_params* p) {
  const tn_geometry* g = &p->geometry;
  const int32_t row_bytes = g->kernel_w * p->input_c;
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; x += p->windows) {
      const int32_t pixels = step->x1 - x < p->windows ? step->x1 - x : p->windows;
      int8_t* window = step->scratch;
      for (int32_t i = 0; i < pixels; ++i) {
        for (int32_t k = 0; k < g->kernel_h; ++k, window += row_bytes) {
          gather_row(p, step->input[r * g->stride_h + k * g->dilation_h], (x + i) * g->stride_w - g->pad_left, window);
        }
      }
      tn_helium_multiply(&p->matrix, step->scratch, p->matrix.length, pixels, step->output[r] + x * p->matrix.output_c);
    }
  }
}
