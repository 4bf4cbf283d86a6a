/* Depthwise convolution of rows of pixels: four channels at a time become strips. */
#include "strips.h"

static void run(const tn_step* step, const tn_dsp_depthwise_params* p, int32_t r, int32_t rows, int32_t x, int32_t outputs) {
  /* Column of halfword 0: even, so that pairs start at even columns (dsp.h demands the parity that makes it so). */
  const int32_t first_tap = x * p->stride - p->pad_left, origin = first_tap & ~1;
  const int32_t end = first_tap + (outputs - 1) * p->stride + p->kernel_size;
  const int32_t first = origin > 0 ? origin : 0, to = end < p->input_w ? end : p->input_w;
  const int32_t pairs = to > first ? (to - first + 1) >> 1 : 0, odd = first + 2 * pairs > p->input_w;
  const int8_t* const* input = step->input + r * p->stride;
  uint32_t* strips = step->scratch;
  tn_strip strip = {.rows = (rows - 1) * p->stride + p->kernel_size,
                    .words = (end - origin + 1) >> 1,
                    .left = (first - origin) >> 1,
                    .padding = (uint16_t)p->input_zero_point * UINT32_C(0x10001)};
  strip.end = strip.left + pairs;
  const int32_t strip_bytes = tn_dsp_strips_narrow(strip.words) ? 4 * strip.words : strip.rows * TN_DSP_STRIP_ROW;
  for (int32_t c = 0; c < TN_DSP_STRIP_CHANNELS; ++c) tn_strip_pad(&strip, input, strips + c * (strip_bytes / 4));
  tn_dsp_unpack unpack = {.rows = input,
                          .count = strip.rows,
                          .pixel_bytes = p->channels,
                          .strip = (int16_t*)(strips + strip.left),
                          .strip_bytes = strip_bytes,
                          .pairs = pairs - odd,
                          .odd = odd,
                          .padding = strip.padding};
  for (int32_t c = 0; c < p->channels; c += TN_DSP_STRIP_CHANNELS) {
    /* The last four channels overlap the four before them when the number is no multiple of four. */
    const int32_t channel = c + TN_DSP_STRIP_CHANNELS <= p->channels ? c : p->channels - TN_DSP_STRIP_CHANNELS;
    unpack.offset = first * p->channels + channel;
    tn_dsp_unpack_nhwc(&unpack);
    tn_dsp_lanes lanes = tn_strip_lanes(step, p, r, rows, x, outputs);
    lanes.strip = (const int16_t*)strips;
    lanes.strip_bytes = strip_bytes;
    lanes.channels = TN_DSP_STRIP_CHANNELS;
    lanes.weights += channel * p->channel_words;
    lanes.output += channel;
    p->kernel(&lanes);
  }
}

void tn_dsp_depthwise(const tn_step* step, const tn_dsp_depthwise_params* params) { tn_strips_run(step, params, run); }
