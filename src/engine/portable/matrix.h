/* The multiplication that pointwise, convolution (on gathered windows) and fully connected share: pixels of `depth` values
 * times output channels of `depth` weights, requantised. Four channels by two pixels at a time: six loads for eight
 * products.
 *
 * Weights come in blocks of four channels, the last block having what is left: block[depth][channels of the block].
 */
#ifndef TINYNAS_PORTABLE_MATRIX_H
#define TINYNAS_PORTABLE_MATRIX_H

#include "finish.h"

#define TN_BLOCK_CHANNELS 4

/* On cores with 13 registers GCC keeps the sums in registers only when it does not reorder the loads. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#define TN_INNER_LOOP __attribute__((noinline, optimize("Os")))
#else
#define TN_INNER_LOOP
#endif

/* sums[c] and sums[4 + c]: channel c of the pixels at x and y. */
static TN_INNER_LOOP void tn_dot_4_by_2(const int8_t* x, const int8_t* y, const int8_t* w, int32_t depth, int32_t* sums) {
  const int8_t* const end = w + 4 * depth;
  int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];
  int32_t b0 = sums[4], b1 = sums[5], b2 = sums[6], b3 = sums[7];
#define TN_TERM(i)                    \
  {                                   \
    const int32_t p = x[i], q = y[i]; \
    int32_t v = w[4 * (i)];           \
    a0 += p * v;                      \
    b0 += q * v;                      \
    v = w[4 * (i) + 1];               \
    a1 += p * v;                      \
    b1 += q * v;                      \
    v = w[4 * (i) + 2];               \
    a2 += p * v;                      \
    b2 += q * v;                      \
    v = w[4 * (i) + 3];               \
    a3 += p * v;                      \
    b3 += q * v;                      \
  }
  for (; end - w >= 16; x += 4, y += 4, w += 16) {
    TN_TERM(0)
    TN_TERM(1)
    TN_TERM(2)
    TN_TERM(3)
  }
  for (; w != end; ++x, ++y, w += 4) TN_TERM(0)
#undef TN_TERM
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  sums[4] = b0;
  sums[5] = b1;
  sums[6] = b2;
  sums[7] = b3;
}

/* The same for one pixel. */
static TN_INNER_LOOP void tn_dot_4_by_1(const int8_t* x, const int8_t* w, int32_t depth, int32_t* sums) {
  const int8_t* const end = w + 4 * depth;
  int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];
#define TN_TERM(i)            \
  {                           \
    const int32_t p = x[i];   \
    a0 += p * w[4 * (i)];     \
    a1 += p * w[4 * (i) + 1]; \
    a2 += p * w[4 * (i) + 2]; \
    a3 += p * w[4 * (i) + 3]; \
  }
  for (; end - w >= 16; x += 4, w += 16) {
    TN_TERM(0)
    TN_TERM(1)
    TN_TERM(2)
    TN_TERM(3)
  }
  for (; w != end; ++x, w += 4) TN_TERM(0)
#undef TN_TERM
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
}

/* A block of fewer channels, one pixel. */
static void tn_dot_rest(const int8_t* x, const int8_t* w, int32_t depth, int32_t count, int32_t* sums) {
  for (int32_t c = 0; c < count; ++c) {
    const int8_t* weight = w + c;
    int32_t acc = sums[c];
    for (int32_t i = 0; i < depth; ++i, weight += count) acc += x[i] * *weight;
    sums[c] = acc;
  }
}

/* One or two pixels at `input`, `input_stride` apart; all channels [first, last); output pixels `output_stride` apart. */
static void tn_multiply_pixels(const int8_t* input, int32_t input_stride, int32_t pixels, const int8_t* weights,
                               int32_t depth, const tn_output_stage* stage, int32_t first, int32_t last, int8_t* output,
                               int32_t output_stride) {
  int32_t sums[2 * TN_BLOCK_CHANNELS];
  for (int32_t c = first; c < last; c += TN_BLOCK_CHANNELS, weights += TN_BLOCK_CHANNELS * depth) {
    const int32_t count = last - c < TN_BLOCK_CHANNELS ? last - c : TN_BLOCK_CHANNELS;
    for (int32_t i = 0; i < count; ++i) sums[i] = sums[TN_BLOCK_CHANNELS + i] = stage->bias[c + i];
    if (count == TN_BLOCK_CHANNELS && pixels == 2) {
      tn_dot_4_by_2(input, input + input_stride, weights, depth, sums);
    } else if (count == TN_BLOCK_CHANNELS) {
      tn_dot_4_by_1(input, weights, depth, sums);
    } else {
      tn_dot_rest(input, weights, depth, count, sums);
      if (pixels == 2) tn_dot_rest(input + input_stride, weights, depth, count, sums + TN_BLOCK_CHANNELS);
    }
    tn_finish_channels(stage, c, count, sums, output + c);
    if (pixels == 2) tn_finish_channels(stage, c, count, sums + TN_BLOCK_CHANNELS, output + output_stride + c);
  }
}

#endif
