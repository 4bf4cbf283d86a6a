/* Values of 8 or 4 bits in a row: those of 4 bits lie two to a byte, the low nibble first. `bits` is a constant wherever
 * these are inlined into loops. */
#ifndef TINYNAS_PORTABLE_VALUES_H
#define TINYNAS_PORTABLE_VALUES_H

#include <stdint.h>

/* The signed nibble number k of a word. */
static inline int32_t tn_nibble(uint32_t word, int32_t k) { return (int32_t)(word << (28 - 4 * k)) >> 28; }

static inline int32_t tn_load(const int8_t* row, int32_t index, int32_t bits) {
  return bits == 8 ? row[index] : tn_nibble((uint8_t)row[index >> 1], index & 1);
}

/* The other nibble of the byte stays as it is. */
static inline void tn_store(int8_t* row, int32_t index, int32_t value, int32_t bits) {
  if (bits == 8) {
    row[index] = (int8_t)value;
  } else {
    const int32_t shift = 4 * (index & 1), other = (uint8_t)row[index >> 1] & (0xF0 >> shift);
    row[index >> 1] = (int8_t)(other | (value & 15) << shift);
  }
}

/* Zero in the nibble behind the last of `values`: rows are padded to whole bytes. */
static inline void tn_pad_row(int8_t* row, int32_t values, int32_t bits) {
  if (bits == 4 && (values & 1) != 0) row[values >> 1] = 0;
}

/* Values [first, first + count) as one int8 each. */
static inline void tn_unpack(const int8_t* row, int32_t first, int32_t count, int8_t* out) {
  for (int32_t i = first; i < first + count; ++i) *out++ = (int8_t)tn_load(row, i, 4);
}

#endif
