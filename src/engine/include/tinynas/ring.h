/* Where the rows of a tensor lie: row y in slot y % slots. A whole tensor has as many slots as rows. */
#ifndef TINYNAS_RING_H
#define TINYNAS_RING_H

#include <stdint.h>

typedef struct {
  int8_t* base;
  int32_t slot_bytes; /* distance of two slots; 0: every row is the same one (broadcast) */
  int16_t height;     /* rows of the map */
  int16_t slots;
} tn_ring;

/* rows[i] = row first + i of the map, NULL where that is outside. */
void tn_ring_rows(const tn_ring* ring, int32_t first, int32_t count, int8_t** rows);

#endif
