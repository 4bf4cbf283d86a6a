/* The multiplication that pointwise, convolution (on gathered windows) and fully connected share: pixels of `depth` values
 * times output channels of `depth` weights, requantised. Two channels by two pixels at a time: four loads for four products.
 */
#ifndef TINYNAS_PORTABLE_MATRIX_H
#define TINYNAS_PORTABLE_MATRIX_H

#include "tinynas/requantize.h"
#include "tinynas/window.h"

static inline int8_t tn_finish(const tn_output_stage* stage, int32_t channel, int32_t acc) {
  const int32_t value = tn_requantize(acc, stage->multiplier[channel], stage->shift[channel]) + stage->zero_point;
  return (int8_t)tn_clamp(value, stage->low, stage->high);
}

/* Two pixels at `input` (distance `input_stride`), all channels [first, last); output pixels `output_stride` apart. */
static inline void tn_multiply_2_pixels(const int8_t* input, int32_t input_stride, const int8_t* weights, int32_t depth,
                                        const tn_output_stage* stage, int32_t first, int32_t last, int8_t* output,
                                        int32_t output_stride) {
  int32_t c = first;
  for (; c + 1 < last; c += 2) {
    const int8_t* w0 = weights + (c - first) * depth;
    const int8_t* w1 = w0 + depth;
    const int8_t* x0 = input;
    const int8_t* x1 = input + input_stride;
    int32_t a00 = stage->bias[c], a01 = stage->bias[c + 1];
    int32_t a10 = a00, a11 = a01;
    for (int32_t i = depth; i > 0; --i) {
      const int32_t v0 = *w0++, v1 = *w1++, p0 = *x0++, p1 = *x1++;
      a00 += p0 * v0;
      a01 += p0 * v1;
      a10 += p1 * v0;
      a11 += p1 * v1;
    }
    output[c] = tn_finish(stage, c, a00);
    output[c + 1] = tn_finish(stage, c + 1, a01);
    output[output_stride + c] = tn_finish(stage, c, a10);
    output[output_stride + c + 1] = tn_finish(stage, c + 1, a11);
  }
  if (c < last) {
    const int8_t* w = weights + (c - first) * depth;
    int32_t a0 = stage->bias[c], a1 = a0;
    for (int32_t i = 0; i < depth; ++i) {
      a0 += input[i] * w[i];
      a1 += input[input_stride + i] * w[i];
    }
    output[c] = tn_finish(stage, c, a0);
    output[output_stride + c] = tn_finish(stage, c, a1);
  }
}

/* One pixel, two channels at a time. */
static inline void tn_multiply_1_pixel(const int8_t* input, const int8_t* weights, int32_t depth,
                                       const tn_output_stage* stage, int32_t first, int32_t last, int8_t* output) {
  int32_t c = first;
  for (; c + 1 < last; c += 2) {
    const int8_t* w0 = weights + (c - first) * depth;
    const int8_t* w1 = w0 + depth;
    const int8_t* x = input;
    int32_t a0 = stage->bias[c], a1 = stage->bias[c + 1];
    for (int32_t i = depth; i > 0; --i) {
      const int32_t p = *x++;
      a0 += p * *w0++;
      a1 += p * *w1++;
    }
    output[c] = tn_finish(stage, c, a0);
    output[c + 1] = tn_finish(stage, c + 1, a1);
  }
  if (c < last) {
    const int8_t* w = weights + (c - first) * depth;
    int32_t acc = stage->bias[c];
    for (int32_t i = 0; i < depth; ++i) acc += input[i] * w[i];
    output[c] = tn_finish(stage, c, acc);
  }
}

#endif
