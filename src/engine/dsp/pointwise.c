/* 1x1 convolution and fully connected: tiles of pixels, gathered once, times all output channels. */
#include "tinynas/dsp.h"

static int16_t* gather_pixels(const int8_t* source, int32_t channels, int32_t pixels, int16_t* tile) {
  for (; pixels > 4; pixels -= 4, source += 4 * channels) tile = tn_dsp_gather(source, channels, channels, tile, 4);
  return tn_dsp_gather(source, channels, channels, tile, pixels);
}

static void multiply(const tn_dsp_matrix* matrix, const tn_step* step, int32_t pixels, int32_t rows, int8_t* const* output,
                     int32_t x) {
  const tn_dsp_tile tile = {.tile = step->scratch,
                            .weights = matrix->weights + TN_DSP_LEAD,
                            .output = output,
                            .steps = matrix->steps,
                            .pairs = matrix->pairs,
                            .rows = rows,
                            .blocks = pixels >> 2,
                            .tail = pixels & 3,
                            .stride = matrix->stride,
                            .offset = x * matrix->pixel_bytes,
                            .padding = matrix->padding};
  tn_dsp_tile_rows(&tile);
}

/* `pixels` neighbouring pixels, in as many tiles as it takes. */
static void run(const tn_dsp_pointwise_params* params, const tn_step* step, const int8_t* input, int8_t* const* output,
                int32_t x, int32_t pixels) {
  const tn_dsp_matrix* matrix = &params->matrix;
  const int32_t room = matrix->tile_pixels; /* whole blocks, unless it is a short row */
  const int32_t most = room > 4 ? room & ~3 : room;
  while (pixels > 0) {
    const int32_t now = pixels <= room ? pixels : most;
    gather_pixels(input, params->input_c, now, step->scratch);
    multiply(matrix, step, now, 1, output, x);
    input += now * params->input_c;
    x += now;
    pixels -= now;
  }
}

/* Rows whose pixels follow each other in memory, from row r on: they are one long row. */
static int32_t joined_rows(const tn_step* step, const tn_dsp_pointwise_params* params, int32_t r) {
  const int32_t width = step->x1 - step->x0;
  int32_t rows = 1;
  while (r + rows < step->rows && step->input[r + rows] == step->input[r] + rows * width * params->input_c &&
         step->output[r + rows] == step->output[r] + rows * width * params->matrix.pixel_bytes) {
    ++rows;
  }
  return rows;
}

/* Rows of planes: a block of four pixels never crosses rows, but several rows share a tile. */
static void run_rows(const tn_dsp_pointwise_params* params, const tn_step* step, int32_t rows_of_tile) {
  const int32_t width = step->x1 - step->x0;
  for (int32_t r = 0; r < step->rows; r += rows_of_tile) {
    const int32_t rows = step->rows - r < rows_of_tile ? step->rows - r : rows_of_tile;
    int16_t* tile = step->scratch;
    for (int32_t i = r; i < r + rows; ++i) {
      tile = gather_pixels(step->input[i] + step->x0 * params->input_c, params->input_c, width, tile);
    }
    multiply(&params->matrix, step, width, rows, step->output + r, step->x0);
  }
}

void tn_dsp_pointwise(const tn_step* step, const tn_dsp_pointwise_params* params) {
  const int32_t width = step->x1 - step->x0, rows_of_tile = params->matrix.tile_pixels / width;
  const int nhwc = params->matrix.stride == params->matrix.pixel_bytes;
  if (!nhwc && rows_of_tile > 1) {
    run_rows(params, step, rows_of_tile);
    return;
  }
  for (int32_t r = 0; r < step->rows;) {
    const int32_t rows = nhwc ? joined_rows(step, params, r) : 1;
    run(params, step, step->input[r] + step->x0 * params->input_c, step->output + r, step->x0, rows * width);
    r += rows;
  }
}
