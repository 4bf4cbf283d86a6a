/* Builds with TN_CHECK_LAYERS: the CRC-32 (that of zlib) of every operator's output, rows taken in order in NHWC. */
#ifndef TINYNAS_CHECK_H
#define TINYNAS_CHECK_H

#include "tinynas/pixels.h"
#include "tinynas/ring.h"

#ifndef TN_CHECK_OPERATORS
#define TN_CHECK_OPERATORS 512
#endif

void tn_check_start(void);
void tn_check_rows(int32_t op, const tn_ring* ring, int32_t y, int32_t rows);
void tn_check_planar(int32_t op, const tn_ring* ring, int32_t y, int32_t rows, int32_t width, int32_t channels);
/* The next pixel in raster order; one that is computed in bands goes through `band`, which holds a band's pixels. `at` is
 * the pixel's place. */
void tn_check_pixel(int32_t op, const int8_t* pixel, int32_t bytes);
void tn_check_bands(int32_t op, const int8_t* pixel, int32_t bytes, int8_t* band, const tn_bands* bands, tn_cursor at);
uint32_t tn_check_crc(int32_t op);

#endif
