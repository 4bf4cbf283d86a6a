/* CRC-32 of operators' outputs. */
#include "tinynas/check.h"

#include <string.h>

static uint32_t state[TN_CHECK_OPERATORS];

void tn_check_start(void) {
  for (int32_t i = 0; i < TN_CHECK_OPERATORS; ++i) state[i] = UINT32_MAX;
}

static uint32_t add_byte(uint32_t crc, uint8_t byte) {
  /* CRC of every nibble, reflected polynomial 0xEDB88320 */
  static const uint32_t table[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
                                     0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                     0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  crc ^= byte;
  crc = (crc >> 4) ^ table[crc & 15u];
  return (crc >> 4) ^ table[crc & 15u];
}

void tn_check_rows(int32_t op, const tn_ring* ring, int32_t y, int32_t rows) {
  for (int32_t r = y; r < y + rows; ++r) {
    const int8_t* row = ring->base + (r % ring->slots) * ring->slot_bytes;
    for (int32_t i = 0; i < ring->slot_bytes; ++i) state[op] = add_byte(state[op], (uint8_t)row[i]);
  }
}

void tn_check_planar(int32_t op, const tn_ring* ring, int32_t y, int32_t rows, int32_t width, int32_t channels) {
  static const int8_t place[4] = {0, 2, 1, 3};
  const int32_t plane = ring->slot_bytes / channels;
  for (int32_t r = y; r < y + rows; ++r) {
    const int8_t* row = ring->base + (r % ring->slots) * ring->slot_bytes;
    for (int32_t x = 0; x < width; ++x) {
      for (int32_t c = 0; c < channels; ++c) {
        state[op] = add_byte(state[op], (uint8_t)row[c * plane + (x & ~3) + place[x & 3]] ^ 0x80u);
      }
    }
  }
}

void tn_check_pixel(int32_t op, const int8_t* pixel, int32_t bytes) {
  for (int32_t i = 0; i < bytes; ++i) state[op] = add_byte(state[op], (uint8_t)pixel[i]);
}

void tn_check_bands(int32_t op, const int8_t* pixel, int32_t bytes, int8_t* band, const tn_bands* bands, tn_cursor at) {
  int32_t begin = at.y - (at.y + bands->lead) % bands->rows;
  const int32_t end = begin + bands->rows < bands->height ? begin + bands->rows : bands->height;
  if (begin < 0) begin = 0;
  memcpy(band + ((at.y - begin) * bands->width + at.x) * bytes, pixel, (size_t)bytes);
  if (at.y + 1 == end && at.x + 1 == bands->width) tn_check_pixel(op, band, (end - begin) * bands->width * bytes);
}

uint32_t tn_check_crc(int32_t op) { return ~state[op]; }
