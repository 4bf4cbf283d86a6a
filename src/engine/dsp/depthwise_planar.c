/* Depthwise convolution of planar rows: some channels at a time their words become strips. The values there are greater by
 * 128 than the map's; the packing has made up for that. */
#include "for_size.h"
#include "strips.h"

static TN_FOR_SIZE void run(const tn_step* step, const tn_dsp_depthwise_params* p, tn_strip_piece at) {
  const int32_t first_tap = at.x * p->stride - p->pad_left;
  const int32_t end = first_tap + (at.outputs - 1) * p->stride + p->kernel_size;
  const int32_t plane_bytes = (p->input_w + 3) & ~3, first = first_tap > 0 ? first_tap & ~3 : 0;
  const int32_t to = end < p->input_w ? end : p->input_w, words = to > first ? (to - first + 3) >> 2 : 0;
  const int32_t left = first_tap < 0 ? (1 - first_tap) >> 1 : 0; /* words of padding */
  const int8_t* const* input = step->input + at.r * p->stride;
  uint32_t* strips = step->scratch;
  const int32_t together = first_tap <= 0 && end >= p->input_w ? p->together : 1;
  const int32_t filled = left + 2 * words * together, used = left + ((end - first + 1) >> 1);
  const tn_strip strip = {.rows = (at.rows - 1) * p->stride + p->kernel_size,
                          .words = together > 1 ? filled : used,
                          .left = left,
                          .end = filled,
                          .padding = (uint32_t)(p->input_zero_point + 128) * UINT32_C(0x10001)};
  tn_strip_pad(&strip, input, strips);
  int32_t inside = 0, above = 0; /* rows of the map, and of padding over them */
  while (above < strip.rows && input[above] == NULL) ++above;
  while (above + inside < strip.rows && input[above + inside] != NULL) ++inside;
  tn_dsp_planes planes = {.rows = input + above,
                          .count = inside,
                          .offset = first,
                          .bytes = together * plane_bytes,
                          .strip = (int16_t*)(strips + above * TN_STRIP_WORDS + left),
                          .gap = TN_DSP_STRIP_ROW - 8 * words * together,
                          .row = tn_dsp_planes_row(words * together)};
  tn_dsp_lanes lanes = tn_strip_lanes(p, at, tn_strip_in_map(step, p, at));
  lanes.strip = (const int16_t*)(strips + left + ((first_tap - first) >> 1));
  lanes.strip_bytes = 8 * words;
  lanes.strips_end = lanes.strip + 4 * words * together;
  lanes.planes = inside > 0 ? &planes : NULL;
  p->kernel(&lanes);
}

TN_FOR_SIZE void tn_dsp_depthwise_planar(const tn_step* step, const tn_dsp_depthwise_params* params) {
  tn_strips_run(step, params, run);
}
