/* Pixels of 4-bit values. */
#include "tinynas/dsp.h"

static int16_t* gather(const tn_dsp_windows* windows, int16_t* tile, int32_t pixels) {
  const int8_t* source = windows->rows[0] + windows->offset;
  int8_t* address = windows->address;
  for (int32_t now; pixels > 0; pixels -= now, source += now * windows->stride) {
    now = pixels < 4 ? 1 : 4;
    int8_t** to = (int8_t**)(void*)tn_dsp_gather_s4(source, windows->length, windows->stride, tile, now);
    for (int32_t i = 0; i < now; ++i, address += windows->apart) *to++ = address;
    tile = (int16_t*)(void*)to;
  }
  return tile;
}

#define POINTWISE tn_dsp_pointwise_s4
#define GATHER gather
#define BYTES(values) ((values) / 2)
#include "pointwise.inc"
