/* Addresses of rows. */
#include "tinynas/ring.h"

#include <stddef.h>

void tn_ring_rows(const tn_ring* ring, int32_t first, int32_t count, int8_t** rows) {
  int32_t slot = first > 0 ? first % ring->slots : 0; /* rows above the map take no slot */
  for (int32_t i = 0; i < count; ++i) {
    const int32_t y = first + i;
    rows[i] = NULL;
    if (y < 0 || y >= ring->height) continue;
    rows[i] = ring->base + slot * ring->slot_bytes;
    slot = slot + 1 == ring->slots ? 0 : slot + 1;
  }
}
