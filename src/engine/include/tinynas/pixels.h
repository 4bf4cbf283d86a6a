/* Where the pixels of a tensor lie that is held as rings of single pixels: pixel (y, x) of a map `width` wide in slot
 * (y / count * width + x) % slots of ring y % count. A whole tensor is one ring of all of its pixels. */
#ifndef TINYNAS_PIXELS_H
#define TINYNAS_PIXELS_H

#include "tinynas/window.h"

typedef struct {
  int8_t* base;
  int32_t slots;
} tn_pixel_ring;

typedef struct {
  const tn_pixel_ring* rings;
  int16_t count; /* rings */
  int16_t height, width;
  int32_t pixel_bytes;
} tn_pixel_map;

/* The next pixel that a step computes, {height, 0} after the last. */
typedef struct {
  int16_t y, x;
} tn_cursor;

/* Raster order. */
static inline void tn_next_pixel(tn_cursor* at, int32_t width) {
  if (++at->x < width) return;
  at->x = 0;
  ++at->y;
}

/* Whether a cursor in raster order has passed the first `columns` pixels of row `rows` - 1; nothing to pass when one is 0.
 */
static inline int tn_pixels_there(tn_cursor at, int32_t rows, int32_t columns) {
  return rows <= at.y || columns <= 0 || (rows == at.y + 1 && columns <= at.x);
}

/* Bands of `rows` rows, the first one `lead` rows above the map; in a band column after column, each from top to bottom. */
typedef struct {
  int16_t rows, lead;
  int16_t height, width; /* of the map */
} tn_bands;

void tn_next_in_bands(tn_cursor* at, const tn_bands* bands);
int tn_bands_there(tn_cursor at, const tn_bands* bands, int32_t rows, int32_t columns);

int8_t* tn_pixel_at(const tn_pixel_map* map, int32_t y, int32_t x);

/* taps[ky * kernel_w + kx] = the pixel under that tap of the window whose first tap is (top, left), `outside` where that is
 * padding. */
void tn_pixel_taps(const tn_pixel_map* map, const tn_geometry* geometry, int32_t top, int32_t left, const int8_t* outside,
                   const int8_t** taps);

/* Kernels that compute the single output pixel output[0] from input[ky * kernel_w + kx], the taps of its window. Of
 * convolutions padding taps point to input_c values of the zero point; of pools they are NULL and do not count. Scratch of
 * the convolution: one window of a group. */
void tn_conv2d_pixel(const tn_step* step, const tn_conv2d_params* params);
void tn_depthwise_pixel(const tn_step* step, const tn_depthwise_params* params);
void tn_average_pool_pixel(const tn_step* step, const tn_pool_params* params);
void tn_max_pool_pixel(const tn_step* step, const tn_pool_params* params);

#endif
