/* Rows of int8. */
#include "strips.h"

static inline void finish(const tn_step* step, const tn_dsp_depthwise_params* p, tn_dsp_lanes* lanes, tn_strip_piece at,
                          int32_t channel) {
  (void)step, (void)at;
  lanes->output += channel;
  p->kernel(lanes);
}

#define DEPTHWISE tn_dsp_depthwise
#define UNPACK tn_dsp_unpack_nhwc
#define BYTES(values) (values)
#define OFFSET 0
#define STAGED(outputs) 0
#define PLACE tn_strip_in_map
#define FINISH finish
#include "depthwise.inc"
