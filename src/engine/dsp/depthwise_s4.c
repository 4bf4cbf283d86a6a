/* Rows of 4-bit values: outputs of four channels are computed as int8 in front of the strips, then packed. */
#include "strips.h"

static tn_strip_place in_scratch(const tn_step* step, const tn_dsp_depthwise_params* p, tn_strip_piece at) {
  const tn_strip_place place = {step->scratch, TN_DSP_STRIP_CHANNELS, tn_dsp_staged_bytes(at.outputs)};
  (void)p;
  return place;
}

static void finish(const tn_step* step, const tn_dsp_depthwise_params* p, const tn_dsp_lanes* lanes, tn_strip_piece at,
                   int32_t channel) {
  const int8_t* wide = step->scratch;
  p->kernel(lanes);
  for (int32_t i = 0; i < at.rows; ++i, wide += tn_dsp_staged_bytes(at.outputs)) {
    tn_dsp_pack_s4(wide, step->output[at.r + i] + (at.x * p->channels + channel) / 2, at.outputs, p->channels / 2);
  }
}

#define DEPTHWISE tn_dsp_depthwise_s4
#define UNPACK tn_dsp_unpack_nhwc_s4
#define BYTES(values) ((values) / 2)
#define OFFSET 8
#define STAGED(outputs) tn_dsp_staged_bytes(outputs)
#define PLACE in_scratch
#define FINISH finish
#include "depthwise.inc"
