/* ADD of 4-bit values by its table, two values at a time. */
#include "tinynas/packed.h"

void tn_add_table_s4(const tn_step* step, const tn_add_table_s4_params* params) {
  const uint8_t* table = params->table;
  const int32_t values = step->x1 * params->channels;
  for (int32_t r = 0; r < step->rows; ++r) {
    const uint8_t *a = (const uint8_t*)step->input[r], *b = (const uint8_t*)step->second[r];
    uint8_t* out = (uint8_t*)step->output[r];
    for (int32_t pairs = values >> 1; pairs > 0; --pairs) {
      const uint32_t x = *a++, y = *b++;
      *out++ = (uint8_t)(table[(x & 15) | (y & 15) << 4] | table[x >> 4 | (y & 0xF0)] << 4);
    }
    if ((values & 1) != 0) *out = table[(*a & 15) | (*b & 15) << 4];
  }
}
