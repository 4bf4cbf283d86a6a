/* What pointwise and im2col convolutions share: tiles of pixels, filled and multiplied. */
#include "for_size.h"
#include "tile.h"

tn_dsp_pixels tn_dsp_pixels_of(const tn_step* step, const tn_dsp_matrix* matrix, int32_t r) {
  const tn_dsp_pixels pixels = {step->output + r, step->x0, step->x0, step->x1, matrix->pixel_bytes};
  return pixels;
}

/* Address of the next pixel. Words of four columns in planar rows hold them in the order 0, 2, 1, 3. */
static int8_t* next_address(const tn_dsp_pixels* output) {
  const int32_t x = output->x;
  const int32_t place = output->pixel_bytes != 0 ? x * output->pixel_bytes : (x & ~3) | ((x & 1) << 1) | ((x >> 1) & 1);
  return *output->row + place;
}

static void advance(tn_dsp_pixels* output, int32_t count) {
  output->x += count;
  if (output->x == output->x1) {
    output->x = output->x0;
    ++output->row;
  }
}

TN_FOR_SIZE int16_t* tn_dsp_fill_tile(tn_dsp_gather_kernel* gather, tn_dsp_windows* windows, tn_dsp_pixels* output,
                                      int16_t* tile, int32_t pixels) {
  while (pixels > 0) {
    const int32_t in_row = output->x1 - output->x;
    int32_t now = pixels <= in_row ? pixels : in_row & ~3;
    const int straight = now > 0 && (output->pixel_bytes != 0 || output->x % 4 == 0);
    if (!straight) now = pixels < 4 ? 1 : 4;
    windows->address = next_address(output);
    windows->apart = output->pixel_bytes;
    tile = gather(windows, tile, now);
    windows->offset += now * windows->stride;
    if (straight) {
      advance(output, now);
    } else { /* a block that crosses rows, or is no word of a planar row */
      int8_t** const addresses = (int8_t**)(void*)tile - now;
      for (int32_t i = 0; i < now; ++i, advance(output, 1)) addresses[i] = next_address(output);
    }
    pixels -= now;
  }
  return tile;
}

TN_FOR_SIZE void tn_dsp_multiply(const tn_step* step, const tn_dsp_matrix* matrix, int32_t pixels) {
  const int32_t lead = matrix->expanded_bytes == 0 ? tn_dsp_lead(matrix->steps) : 0;
  const tn_dsp_tile tile = {.tile = tn_dsp_tile_start(step, matrix),
                            .weights = matrix->weights + lead,
                            .steps = matrix->steps,
                            .pairs = matrix->pairs,
                            .blocks = pixels >> 2,
                            .singles = pixels & 3,
                            .plane_bytes = matrix->plane_bytes,
                            .expanded = step->scratch};
  matrix->kernel(&tile);
}
