/* Addresses of rows. */
#include "tinynas/ring.h"

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

tn_step tn_rows_step(const tn_rows* at, int32_t y, int32_t rows, int8_t** pointers) {
  int8_t** const input = pointers + rows;
  const int32_t inputs = (rows - 1) * at->stride + at->extent;
  int8_t** const second = at->second == NULL ? NULL : input + inputs;
  tn_ring_rows(at->output, y, rows, pointers);
  tn_ring_rows(at->input, y * at->stride - at->pad, inputs, input);
  if (second != NULL) tn_ring_rows(at->second, y, rows, second);
  const tn_step step = {
      (const int8_t* const*)input, (const int8_t* const*)second, pointers, y, rows, 0, at->columns, at->scratch};
  return step;
}
