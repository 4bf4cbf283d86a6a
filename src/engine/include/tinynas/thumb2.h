/* Kernels for Armv7-M, whose one multiplication an instruction is MLA (Cortex-M3). Drivers are the portable ones where the
 * body is all that differs (window.h); a depthwise convolution has its own. All demand what tn_thumb2_blocks does. */
#ifndef TINYNAS_THUMB2_H
#define TINYNAS_THUMB2_H

#include "tinynas/step.h"
#include "tinynas/window.h"

/* Two pixels of a depthwise convolution. The order of the fields is known to thumb2/outputs.inc, where the first two are
 * tn_pixel_pair's pixels. */
typedef struct {
  const int8_t* (
      *list)[2];   /* the windows' taps, a pointer to the first channel for each pixel; advanced to the last block */
  const void* end; /* of the list */
  int8_t* output[2];
  const int8_t* weights; /* block[depth][4] */
  const int32_t* bias;
  const int32_t* multiplier;
  const int8_t* shift;
  int32_t zero_point, low, high;
  int32_t depth;  /* taps */
  int32_t blocks; /* >= 1 */
} tn_thumb2_taps;
void tn_thumb2_tap_blocks(const tn_thumb2_taps* taps);

/* Any window; channel_multiplier 1, at least 4 channels; weights in blocks as tn_conv2d's. Scratch: taps and a pixel of
 * padding. */
void tn_thumb2_depthwise(const tn_step* step, const tn_depthwise_params* params);

#endif
