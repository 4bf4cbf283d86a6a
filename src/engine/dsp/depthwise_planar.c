/* Depthwise convolution of planar rows: channel by channel their words become a strip. The values there are greater by 128
 * than the map's; the packing has made up for that. */
#include "for_size.h"
#include "strips.h"

static TN_FOR_SIZE void run(const tn_step* step, const tn_dsp_depthwise_params* p, int32_t r, int32_t rows, int32_t x,
                            int32_t outputs) {
  const int32_t first_tap = x * p->stride - p->pad_left, end = first_tap + (outputs - 1) * p->stride + p->kernel_size;
  const int32_t plane_bytes = (p->input_w + 3) & ~3, first = first_tap > 0 ? first_tap & ~3 : 0;
  const int32_t to = end < p->input_w ? end : p->input_w, words = to > first ? (to - first + 3) >> 2 : 0;
  const int32_t left = first_tap < 0 ? (1 - first_tap) >> 1 : 0; /* words of padding */
  const int8_t* const* input = step->input + r * p->stride;
  uint32_t* strips = step->scratch;
  const tn_strip strip = {.rows = (rows - 1) * p->stride + p->kernel_size,
                          .words = left + ((end - first + 1) >> 1),
                          .left = left,
                          .end = left + 2 * words,
                          .padding = (uint32_t)(p->input_zero_point + 128) * UINT32_C(0x10001)};
  tn_strip_pad(&strip, input, strips);
  tn_dsp_planes planes = {.rows = input,
                          .count = strip.rows,
                          .offset = first,
                          .plane_bytes = plane_bytes,
                          .words = words,
                          .strip = (int16_t*)(strips + left)};
  tn_dsp_lanes lanes = tn_strip_lanes(step, p, r, rows, x, outputs);
  lanes.strip = (const int16_t*)(strips + left + ((first_tap - first) >> 1));
  lanes.planes = &planes;
  p->kernel(&lanes);
}

TN_FOR_SIZE void tn_dsp_depthwise_planar(const tn_step* step, const tn_dsp_depthwise_params* params) {
  tn_strips_run(step, params, run);
}
