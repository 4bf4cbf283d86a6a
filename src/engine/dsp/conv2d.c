/* Convolution by gathering the windows of a few output pixels, then multiplying as pointwise does. */
#include <string.h>

#include "tile.h"

/* The windows of a row's pixels: rows of the map, or copies with their padding filled in. */
typedef struct {
  const int8_t* const* rows;
  int32_t first;      /* column that the rows start with */
  int32_t begin, end; /* output columns that copies were made for */
} windows;

/* Copies of the windows' rows, and pointers to them, behind the tile. */
static windows copy_windows(const tn_step* step, const tn_dsp_conv2d_params* params, int32_t r, int32_t x) {
  const tn_geometry* g = &params->geometry;
  const int32_t channels = params->input_c;
  int32_t pixels = tn_dsp_window_pixels(g->kernel_w, g->stride_w, g->kernel_h * channels, params->width);
  if (pixels > step->x1 - x) pixels = step->x1 - x;
  const int32_t columns = tn_dsp_window_columns(g->kernel_w, g->stride_w, pixels);
  const windows made = {.rows = (const int8_t* const*)((int8_t*)(void*)tn_tile_start(step, &params->matrix) +
                                                       tn_dsp_tile_bytes(params->matrix.steps, params->matrix.tile_pixels)),
                        .first = x * g->stride_w - g->pad_left,
                        .begin = x,
                        .end = x + pixels};
  const int32_t from = made.first > 0 ? made.first : 0;
  const int32_t to = made.first + columns < g->input_w ? made.first + columns : g->input_w;
  const int8_t** rows = (const int8_t**)made.rows;
  int8_t* copy = (int8_t*)(rows + g->kernel_h);
  for (int32_t i = 0; i < g->kernel_h; ++i, copy += columns * channels) {
    const int8_t* row = step->input[r * g->stride_h + i * g->dilation_h];
    memset(copy, params->input_zero_point, (size_t)(columns * channels));
    if (row != NULL && to > from)
      memcpy(copy + (from - made.first) * channels, row + from * channels, (size_t)((to - from) * channels));
    rows[i] = copy;
  }
  return made;
}

/* Whether the window rows of output row r follow each other in the step's pointers and none is padding. */
static int plain_rows(const tn_step* step, const tn_geometry* g, int32_t r) {
  if (g->dilation_h != 1) return 0;
  for (int32_t i = 0; i < g->kernel_h; ++i) {
    if (step->input[r * g->stride_h + i] == NULL) return 0;
  }
  return 1;
}

/* Gathers the tile of `pixels` pixels from column x on, block by block. */
static void gather(const tn_step* step, const tn_dsp_conv2d_params* params, int32_t r, int32_t x, int32_t pixels,
                   windows* copies) {
  const tn_geometry* g = &params->geometry;
  const int32_t channels = params->input_c;
  const int plain = plain_rows(step, g, r);
  const tn_dsp_window window = {g->kernel_h, g->kernel_w * channels, g->stride_w * channels};
  tn_pixels output = tn_pixels_of(step, &params->matrix, r);
  output.x = x;
  int16_t* tile = tn_tile_start(step, &params->matrix);
  for (int32_t now; pixels > 0; x += now, pixels -= now) {
    now = pixels < 4 ? 1 : 4;
    const int32_t first = x * g->stride_w - g->pad_left;
    const int32_t last = first + tn_dsp_window_columns(g->kernel_w, g->stride_w, now);
    windows source = {.rows = step->input + r * g->stride_h};
    if (!plain || first < 0 || last > g->input_w) {
      if (x < copies->begin || x + now > copies->end) *copies = copy_windows(step, params, r, x);
      source = *copies;
    }
    tile = tn_dsp_gather_windows(source.rows, (first - source.first) * channels, &window, tile, now);
    tile = tn_put_addresses(&output, tile, now);
  }
}

void tn_dsp_conv2d(const tn_step* step, const tn_dsp_conv2d_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    windows copies = {0};
    for (int32_t x = step->x0; x < step->x1;) {
      const int32_t pixels = tn_tile_pixels(&params->matrix, step->x1 - x);
      gather(step, params, r, x, pixels, &copies);
      tn_multiply(step, &params->matrix, pixels);
      x += pixels;
    }
  }
}
