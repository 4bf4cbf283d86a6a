/* Tiles (dsp/tile.S): gathered activations and the addresses of the pixels that they become. */
#ifndef TINYNAS_DSP_TILE_H
#define TINYNAS_DSP_TILE_H

#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

/* The output pixel that comes next: rows one after the other, columns [x0, x1) of each. */
typedef struct {
  int8_t* const* row;
  int32_t x, x0, x1;
  int32_t pixel_bytes; /* 0: planar */
} tn_dsp_pixels;

/* Less than a row. */
static inline void tn_dsp_step_back(tn_dsp_pixels* output, int32_t count) {
  output->x -= count;
  if (output->x < output->x0) {
    output->x += output->x1 - output->x0;
    --output->row;
  }
}

/* The pixels of a step's rows from r on. */
tn_dsp_pixels tn_dsp_pixels_of(const tn_step* step, const tn_dsp_matrix* matrix, int32_t r);

/* Fills a tile of `pixels` pixels from its place `tile` on and moves windows and output on behind them. Returns the tile's
 * next free place. */
int16_t* tn_dsp_fill_tile(tn_dsp_gather_kernel* gather, tn_dsp_windows* windows, tn_dsp_pixels* output, int16_t* tile,
                          int32_t pixels);

static inline int16_t* tn_dsp_tile_start(const tn_step* step, const tn_dsp_matrix* matrix) {
  return (int16_t*)(void*)((int8_t*)step->scratch + matrix->expanded_bytes);
}

/* Multiplies the step's tile of `pixels` pixels. */
void tn_dsp_multiply(const tn_step* step, const tn_dsp_matrix* matrix, int32_t pixels);

/* Pixels of the next tile when `left` are left: whole blocks, unless it is the last. */
static inline int32_t tn_dsp_next_tile(const tn_dsp_matrix* matrix, int32_t left) {
  return left <= matrix->tile_pixels ? left : matrix->tile_pixels & ~3;
}

#endif
