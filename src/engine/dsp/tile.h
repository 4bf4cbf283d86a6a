/* Filling tiles (dsp/tile.S): gathered activations and the addresses of the pixels that they will become. */
#ifndef TINYNAS_DSP_TILE_H
#define TINYNAS_DSP_TILE_H

#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

/* The output pixel that comes next: rows one after the other, columns [x0, x1) of each. */
typedef struct {
  int8_t* const* row;
  int32_t x, x0, x1;
  int32_t pixel_bytes; /* 0: planar */
} tn_pixels;

static inline tn_pixels tn_pixels_of(const tn_step* step, const tn_dsp_matrix* matrix, int32_t r) {
  const tn_pixels pixels = {step->output + r, step->x0, step->x0, step->x1, matrix->pixel_bytes};
  return pixels;
}

static inline void tn_pixels_advance(tn_pixels* pixels, int32_t count) {
  pixels->x += count;
  if (pixels->x == pixels->x1) {
    pixels->x = pixels->x0;
    ++pixels->row;
  }
}

/* Place of column x in a row: words of four columns in planar rows hold them in the order 0, 2, 1, 3. */
static inline int32_t tn_pixel_place(const tn_pixels* pixels, int32_t x) {
  return pixels->pixel_bytes != 0 ? x * pixels->pixel_bytes : (x & ~3) | ((x & 1) << 1) | ((x >> 1) & 1);
}

/* Puts the addresses of the next `count` (1 or 4) pixels behind a block's steps. Returns the tile's next free place. */
static inline int16_t* tn_put_addresses(tn_pixels* pixels, int16_t* tile, int32_t count) {
  int8_t** address = (int8_t**)(void*)tile;
  const int32_t apart = pixels->pixel_bytes != 0 ? pixels->pixel_bytes : 1;
  if (count == 4 && pixels->x + 4 <= pixels->x1 && (pixels->pixel_bytes != 0 || pixels->x % 4 == 0)) {
    int8_t* const first = *pixels->row + pixels->x * apart;
    const int planar = pixels->pixel_bytes == 0;
    address[0] = first;
    address[1] = first + (planar ? 2 : apart);
    address[2] = first + (planar ? 1 : 2 * apart);
    address[3] = first + 3 * apart;
    tn_pixels_advance(pixels, 4);
    return (int16_t*)(void*)(address + 4);
  }
  for (; count > 0; --count) {
    *address++ = *pixels->row + tn_pixel_place(pixels, pixels->x);
    tn_pixels_advance(pixels, 1);
  }
  return (int16_t*)(void*)address;
}

static inline int16_t* tn_tile_start(const tn_step* step, const tn_dsp_matrix* matrix) {
  return (int16_t*)(void*)((int8_t*)step->scratch + matrix->expanded_bytes);
}

/* Multiplies a tile of `pixels` pixels. */
static inline void tn_multiply(const tn_step* step, const tn_dsp_matrix* matrix, int32_t pixels) {
  const int32_t lead = matrix->expanded_bytes == 0 ? tn_dsp_lead(matrix->steps) : 0;
  const tn_dsp_tile tile = {.tile = tn_tile_start(step, matrix),
                            .weights = matrix->weights + lead,
                            .steps = matrix->steps,
                            .pairs = matrix->pairs,
                            .blocks = pixels >> 2,
                            .singles = pixels & 3,
                            .plane_bytes = matrix->plane_bytes,
                            .expanded = step->scratch};
  matrix->kernel(&tile);
}

/* Pixels of the next tile when `left` are left: whole blocks, unless it is the last. */
static inline int32_t tn_tile_pixels(const tn_dsp_matrix* matrix, int32_t left) {
  return left <= matrix->tile_pixels ? left : matrix->tile_pixels & ~3;
}

#endif
