/* Rows of 4-bit values: outputs of four channels are computed as int8 in front of the strips, then packed. */
#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

static void finish(const tn_step* step, const tn_dsp_depthwise_params* p, tn_dsp_lanes* lanes, int32_t r, int32_t x,
                   int32_t channel) {
  const int32_t outputs = 4 * lanes->blocks + lanes->tail;
  const int8_t* wide = step->scratch;
  lanes->output = step->scratch;
  lanes->stride = TN_DSP_STRIP_CHANNELS;
  lanes->skip = 0;
  p->kernel(lanes);
  for (int32_t i = 0; i < lanes->rows; ++i, wide += tn_dsp_staged_bytes(outputs)) {
    tn_dsp_pack_s4(wide, step->output[r + i] + (x * p->channels + channel) / 2, outputs, p->channels / 2);
  }
}

#define DEPTHWISE tn_dsp_depthwise_s4
#define UNPACK tn_dsp_unpack_nhwc_s4
#define BYTES(values) ((values) / 2)
#define OFFSET 8
#define STAGED(outputs) tn_dsp_staged_bytes(outputs)
#define FINISH finish
#include "depthwise.inc"
