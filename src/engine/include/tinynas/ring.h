/* Where the rows of a tensor lie: row y in slot y % slots. A whole tensor has as many slots as rows. */
#ifndef TINYNAS_RING_H
#define TINYNAS_RING_H

#include <stdint.h>

#include "tinynas/step.h"

typedef struct {
  int8_t* base;
  int32_t slot_bytes; /* distance of two slots; 0: every row is the same one (broadcast) */
  int16_t height;     /* rows of the map */
  int16_t slots;
} tn_ring;

/* rows[i] = row first + i of the map, NULL where that is outside. */
void tn_ring_rows(const tn_ring* ring, int32_t first, int32_t count, int8_t** rows);

/* Where the rows of an operator's steps lie. Output rows y .. y + rows - 1 read rows y * stride - pad and following of
 * `input`, `extent` of them under one window, and rows y .. of `second`. */
typedef struct {
  const tn_ring *input, *second, *output; /* second: of ADD and MUL; else NULL */
  void* scratch;
  int32_t columns;
  int16_t stride, pad, extent;
} tn_rows;

/* The step of these output rows, all columns. `pointers` gets the addresses that the step points to: those of `rows` output
 * rows, of (rows - 1) * stride + extent input rows, of `rows` rows of a second input. */
tn_step tn_rows_step(const tn_rows* at, int32_t y, int32_t rows, int8_t** pointers);

#endif
