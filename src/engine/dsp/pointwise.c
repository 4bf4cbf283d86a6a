/* 1x1 convolution and fully connected: tiles of pixels, gathered once, times all output channels. */
#include "tile.h"

/* `pixels` pixels that follow each other in memory, in as many tiles as it takes. */
static void run(const tn_step* step, const tn_dsp_pointwise_params* params, const int8_t* source, int32_t pixels,
                tn_pixels* output) {
  const int32_t channels = params->input_c;
  while (pixels > 0) {
    const int32_t now = tn_tile_pixels(&params->matrix, pixels);
    int16_t* tile = step->scratch;
    for (int32_t left = now; left > 0;) {
      const int32_t count = left >= 4 ? 4 : 1;
      tile = tn_dsp_gather(source, channels, channels, tile, count);
      tile = tn_put_addresses(output, tile, count);
      source += count * channels;
      left -= count;
    }
    tn_multiply(step, &params->matrix, now);
    pixels -= now;
  }
}

/* Rows from r on whose pixels follow each other in memory: they are one long row. */
static int32_t joined_rows(const tn_step* step, int32_t r, int32_t row_bytes) {
  int32_t rows = 1;
  while (r + rows < step->rows && step->input[r + rows] == step->input[r] + rows * row_bytes) ++rows;
  return rows;
}

void tn_dsp_pointwise(const tn_step* step, const tn_dsp_pointwise_params* params) {
  const int32_t width = step->x1 - step->x0;
  tn_pixels output = tn_pixels_of(step, &params->matrix, 0);
  for (int32_t r = 0; r < step->rows;) {
    const int32_t rows = joined_rows(step, r, width * params->input_c);
    run(step, params, step->input[r] + step->x0 * params->input_c, rows * width, &output);
    r += rows;
  }
}
