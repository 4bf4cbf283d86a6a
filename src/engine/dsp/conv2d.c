/* Convolution by gathering the windows of a few output pixels, kernel row by kernel row, then multiplying as pointwise does.
 */
#include <string.h>

#include "tinynas/dsp.h"

/* Kernel row i of the windows of `pixels` (1..4) output columns from x on. */
static int16_t* gather_row(const tn_step* step, const tn_dsp_conv2d_params* params, const int8_t* row, int32_t x,
                           int32_t pixels, int16_t* tile) {
  const tn_geometry* g = &params->geometry;
  const int32_t channels = params->input_c, length = g->kernel_w * channels;
  const int32_t first = x * g->stride_w - g->pad_left, last = first + (pixels - 1) * g->stride_w + g->kernel_w;
  const int32_t stride = g->stride_w * channels;
  if (row != NULL && first >= 0 && last <= g->input_w)
    return tn_dsp_gather(row + first * channels, length, stride, tile, pixels);
  const int32_t room = 4 * params->matrix.steps * params->matrix.tile_pixels;
  int8_t* window = (int8_t*)step->scratch + room;
  memset(window, params->input_zero_point, (size_t)((last - first) * channels));
  if (row != NULL) {
    const int32_t from = first > 0 ? first : 0, to = last < g->input_w ? last : g->input_w;
    if (to > from) memcpy(window + (from - first) * channels, row + from * channels, (size_t)((to - from) * channels));
  }
  return tn_dsp_gather(window, length, stride, tile, pixels);
}

static void gather_windows(const tn_step* step, const tn_dsp_conv2d_params* params, int32_t r, int32_t x, int32_t pixels) {
  const tn_geometry* g = &params->geometry;
  int16_t* tile = step->scratch;
  for (; pixels > 0; x += 4, pixels -= 4) {
    const int32_t now = pixels < 4 ? pixels : 4;
    for (int32_t i = 0; i < g->kernel_h; ++i) {
      const int8_t* row = step->input[r * g->stride_h + i * g->dilation_h];
      tile = gather_row(step, params, row, x, now, tile);
    }
  }
}

void tn_dsp_conv2d(const tn_step* step, const tn_dsp_conv2d_params* params) {
  const tn_dsp_matrix* matrix = &params->matrix;
  tn_dsp_tile tile = {.tile = step->scratch,
                      .weights = matrix->weights + TN_DSP_LEAD,
                      .steps = matrix->steps,
                      .pairs = matrix->pairs,
                      .rows = 1,
                      .stride = matrix->stride,
                      .padding = matrix->padding};
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1;) {
      const int32_t left = step->x1 - x;
      const int32_t pixels = left <= matrix->tile_pixels ? left : matrix->tile_pixels & ~3;
      gather_windows(step, params, r, x, pixels);
      tile.output = step->output + r;
      tile.blocks = pixels >> 2;
      tile.tail = pixels & 3;
      tile.offset = x * matrix->pixel_bytes;
      tn_dsp_tile_rows(&tile);
      x += pixels;
    }
  }
}
