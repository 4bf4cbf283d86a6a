/* Convolution by gathering the windows of a few output pixels, then multiplying as pointwise does. */
#include <string.h>

#include "for_size.h"
#include "tile.h"

/* Copies of the rows under some windows, their padding filled in. */
typedef struct {
  const int8_t* const* rows;
  int32_t first;      /* column that the rows start with */
  int32_t begin, end; /* output columns that they were made for */
} copied_rows;

/* Copies of the windows' rows, and pointers to them, behind the tile. */
static copied_rows copy_windows(const tn_step* step, const tn_dsp_conv2d_params* params, int32_t r, int32_t x) {
  const tn_geometry* g = &params->geometry;
  const int32_t channels = params->input_c;
  int32_t pixels = tn_dsp_window_pixels(g->kernel_w, g->stride_w, g->kernel_h * channels, params->width);
  if (pixels > step->x1 - x) pixels = step->x1 - x;
  const int32_t columns = tn_dsp_window_columns(g->kernel_w, g->stride_w, pixels);
  const copied_rows made = {
      .rows = (const int8_t* const*)((int8_t*)(void*)tn_dsp_tile_start(step, &params->matrix) +
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

/* Gathers the tile of `pixels` pixels from column x on: those inside the map from its rows, the others from copies. */
static void gather(const tn_step* step, const tn_dsp_conv2d_params* params, int32_t r, int32_t x, int32_t pixels,
                   copied_rows* copies) {
  const tn_geometry* g = &params->geometry;
  const int32_t channels = params->input_c;
  const int plain = plain_rows(step, g, r);
  const int32_t room = g->input_w + g->pad_left - g->kernel_w;
  const int32_t inside = plain && room >= 0 ? room / g->stride_w + 1 : 0; /* windows of columns before it end in the map */
  tn_dsp_windows source = {.count = g->kernel_h, .length = g->kernel_w * channels, .stride = g->stride_w * channels};
  tn_dsp_pixels output = tn_dsp_pixels_of(step, &params->matrix, r);
  output.x = x;
  int16_t* tile = tn_dsp_tile_start(step, &params->matrix);
  for (int32_t now; pixels > 0; x += now, pixels -= now) {
    const int32_t first = x * g->stride_w - g->pad_left, least = pixels < 4 ? pixels : 4;
    int32_t end = first < 0 ? 0 : inside;
    source.rows = step->input + r * g->stride_h;
    source.offset = first * channels;
    if (x + least > end) {
      if (x < copies->begin || x + least > copies->end) *copies = copy_windows(step, params, r, x);
      end = copies->end;
      source.rows = copies->rows;
      source.offset -= copies->first * channels;
    }
    now = pixels <= end - x ? pixels : (end - x) & ~3;
    tile = tn_dsp_fill_tile(tn_dsp_gather, &source, &output, tile, now);
  }
}

TN_FOR_SIZE void tn_dsp_conv2d(const tn_step* step, const tn_dsp_conv2d_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    copied_rows copies = {0};
    for (int32_t x = step->x0; x < step->x1;) {
      const int32_t pixels = tn_dsp_next_tile(&params->matrix, step->x1 - x);
      gather(step, params, r, x, pixels, &copies);
      tn_dsp_multiply(step, &params->matrix, pixels);
      x += pixels;
    }
  }
}
