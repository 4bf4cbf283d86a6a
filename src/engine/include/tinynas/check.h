/* Builds with TN_CHECK_LAYERS: the CRC-32 (that of zlib) of every operator's output, rows taken in order in NHWC. */
#ifndef TINYNAS_CHECK_H
#define TINYNAS_CHECK_H

#include "tinynas/ring.h"

#ifndef TN_CHECK_OPERATORS
#define TN_CHECK_OPERATORS 512
#endif

void tn_check_start(void);
void tn_check_rows(int32_t op, const tn_ring* ring, int32_t y, int32_t rows);
void tn_check_planar(int32_t op, const tn_ring* ring, int32_t y, int32_t rows, int32_t width, int32_t channels);
uint32_t tn_check_crc(int32_t op);

#endif
