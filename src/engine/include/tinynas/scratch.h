/* Scratch bytes of every kernel: the one place that the kernels, the planner and the generator share.
 *
 * Scratch lies in the arena and lives while the segment of its operator runs. `tn_scratch_bytes` answers for a kernel set
 * and an operator's shape; all answers are multiples of 4. Kernel bodies use no other working memory than this and a few
 * hundred bytes of stack.
 */
#ifndef TINYNAS_SCRATCH_H
#define TINYNAS_SCRATCH_H

#include <stdint.h>

/* The kernel sets, by instruction set: portable C (M0+, host), Armv7E-M/Armv8-M DSP (M4, M7, M33), MVE (M55, M85), Armv7-M
 * (M3). */
typedef enum { TN_SET_PORTABLE = 0, TN_SET_DSP = 1, TN_SET_HELIUM = 2, TN_SET_THUMB2 = 3 } tn_set;

typedef enum {
  TN_KIND_OTHER = 0, /* element by element, copies, windows of pools: nothing */
  TN_KIND_CONV2D,    /* any window; 1x1 without padding, stride and groups is TN_KIND_POINTWISE */
  TN_KIND_POINTWISE,
  TN_KIND_DEPTHWISE,          /* by rows */
  TN_KIND_DEPTHWISE_IN_PLACE, /* whole tensor, channel by channel, output over input */
  TN_KIND_FULLY_CONNECTED,
  TN_KIND_ACCUMULATE, /* global pool, mean or maximum over H and W, fed row by row; softmax over a row */
  TN_KIND_TRANSPOSE_CONV,
  TN_KIND_CONV2D_PIXEL /* one pixel from pointers to its taps, on every core */
} tn_kind;

/* What scratch may depend on. Channels are those of the whole operator. */
typedef struct {
  int32_t input_h, input_w, input_c;
  int32_t output_h, output_w, output_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, groups;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  int32_t rows_at_once;                         /* output rows of a step */
  int32_t input_bits, weight_bits, output_bits; /* 8 or 4 */
} tn_shape;

/* Pixels of which the portable convolution gathers the windows before it multiplies. */
#define TN_IM2COL_PIXELS 2

static inline int32_t tn_round_up4(int32_t bytes) { return (bytes + 3) & ~3; }

static inline int32_t tn_scratch_portable(tn_kind kind, const tn_shape* s) {
  switch (kind) {
    case TN_KIND_CONV2D:
      return tn_round_up4(TN_IM2COL_PIXELS * s->kernel_h * s->kernel_w * (s->input_c / s->groups));
    case TN_KIND_CONV2D_PIXEL:
      return tn_round_up4(s->kernel_h * s->kernel_w * (s->input_c / s->groups));
    case TN_KIND_POINTWISE:
    case TN_KIND_FULLY_CONNECTED: /* pixels of 4-bit values as int8 */
      return s->input_bits == 4 ? tn_round_up4(TN_IM2COL_PIXELS * s->input_c) : 0;
    case TN_KIND_DEPTHWISE_IN_PLACE: /* one padded plane */
      return tn_round_up4((s->input_h + s->pad_top + s->pad_bottom) * (s->input_w + s->pad_left + s->pad_right));
    case TN_KIND_ACCUMULATE:
      return 4 * s->output_c;
    case TN_KIND_TRANSPOSE_CONV: /* int32 accumulators of one output row */
      return 4 * s->output_w * s->output_c;
    default:
      return 0;
  }
}

/* The other kernel sets' formulas stand beside their bodies' constants. */
#include "tinynas/scratch_dsp.h"
#include "tinynas/scratch_helium.h"
#include "tinynas/scratch_thumb2.h"

static inline int32_t tn_scratch_bytes(tn_set set, tn_kind kind, const tn_shape* shape) {
  if (set == TN_SET_DSP) return tn_scratch_dsp(kind, shape);
  if (set == TN_SET_HELIUM) return tn_scratch_helium(kind, shape);
  if (set == TN_SET_THUMB2) return tn_scratch_thumb2(kind, shape);
  return tn_scratch_portable(kind, shape);
}

#endif
