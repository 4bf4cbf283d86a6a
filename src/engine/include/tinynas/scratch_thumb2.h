/* Scratch of the Armv7-M kernels; included by scratch.h only. What the set has no body for runs the portable one. */
#ifndef TINYNAS_SCRATCH_THUMB2_H
#define TINYNAS_SCRATCH_THUMB2_H

static inline int32_t tn_scratch_thumb2(tn_kind kind, const tn_shape* s) {
  /* pointers to the taps of two pixels, and a pixel of padding */
  if (kind == TN_KIND_DEPTHWISE) return 8 * s->kernel_h * s->kernel_w + tn_round_up4(s->input_c);
  return tn_scratch_portable(kind, s);
}

#endif
