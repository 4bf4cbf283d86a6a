/* matrix.h where weights, inputs or outputs have 4 bits: blocks of four channels by two pixels, 4-bit weights of a block's
 * channels two to a byte. */
#ifndef TINYNAS_PORTABLE_MATRIX_S4_H
#define TINYNAS_PORTABLE_MATRIX_S4_H

#include "finish.h"
#include "tinynas/packed.h"
#include "values.h"

#define TN_BLOCK_CHANNELS 4

/* Bytes of the weights of a block of `channels` channels, or of several whole ones. */
static inline int32_t tn_group_bytes_s4(int32_t depth, int32_t channels, int32_t bits) {
  return depth * (bits == 8 ? channels : (channels + 1) >> 1);
}

/* sums[c] and sums[4 + c]: channel c of the pixels at x and y. */
static void tn_dot_s4_4_by_2(const int8_t* x, const int8_t* y, const int8_t* weights, int32_t depth, int32_t* sums) {
  const uint8_t* w = (const uint8_t*)weights;
  const uint8_t* const end = w + 2 * depth;
  int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];
  int32_t b0 = sums[4], b1 = sums[5], b2 = sums[6], b3 = sums[7];
  for (; w != end; w += 2) {
    const int32_t p = *x++, q = *y++;
    const uint32_t four = w[0] | (uint32_t)w[1] << 8;
    int32_t v = tn_nibble(four, 0);
    a0 += p * v;
    b0 += q * v;
    v = tn_nibble(four, 1);
    a1 += p * v;
    b1 += q * v;
    v = tn_nibble(four, 2);
    a2 += p * v;
    b2 += q * v;
    v = tn_nibble(four, 3);
    a3 += p * v;
    b3 += q * v;
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  sums[4] = b0;
  sums[5] = b1;
  sums[6] = b2;
  sums[7] = b3;
}

/* Any block, one pixel; weights of 4 or 8 bits. */
static inline void tn_dot_any(const int8_t* x, const int8_t* w, int32_t depth, int32_t count, int32_t bits, int32_t* sums) {
  const int32_t block_bytes = tn_group_bytes_s4(1, count, bits);
  for (int32_t i = 0; i < depth; ++i, w += block_bytes) {
    for (int32_t c = 0; c < count; ++c) sums[c] += x[i] * tn_load(w, c, bits);
  }
}

/* Pixels of int8 in memory and where their results go. */
typedef struct {
  const int8_t* input;
  int32_t stride; /* bytes from a pixel to the next */
  int32_t count;  /* 1 or 2 */
  int8_t* output; /* row */
  int32_t at;     /* value of the first pixel's channel 0 in it */
} tn_pixels;

static void tn_dot_block(const tn_pixels* p, const int8_t* weights, int32_t depth, int32_t count, int32_t bits,
                         int32_t* sums) {
  if (count == TN_BLOCK_CHANNELS && p->count == 2 && bits == 4) {
    tn_dot_s4_4_by_2(p->input, p->input + p->stride, weights, depth, sums);
    return;
  }
  for (int32_t i = 0; i < p->count; ++i) {
    const int8_t* x = p->input + i * p->stride;
    if (bits == 8) {
      tn_dot_any(x, weights, depth, count, 8, sums + i * TN_BLOCK_CHANNELS);
    } else {
      tn_dot_any(x, weights, depth, count, 4, sums + i * TN_BLOCK_CHANNELS);
    }
  }
}

/* All channels [first, last) of the pixels, whose output pixels are `output_c` values long. */
static void tn_multiply_pixels_s4(const tn_pixels* p, const int8_t* weights, int32_t depth, const tn_output_stage* stage,
                                  int32_t first, int32_t last, int32_t output_c, const tn_bits* bits) {
  int32_t sums[2 * TN_BLOCK_CHANNELS];
  int8_t values[TN_BLOCK_CHANNELS];
  for (int32_t c = first; c < last; c += TN_BLOCK_CHANNELS) {
    const int32_t count = last - c < TN_BLOCK_CHANNELS ? last - c : TN_BLOCK_CHANNELS;
    for (int32_t i = 0; i < count; ++i) sums[i] = sums[TN_BLOCK_CHANNELS + i] = stage->bias[c + i];
    tn_dot_block(p, weights, depth, count, bits->weights, sums);
    for (int32_t i = 0; i < p->count; ++i) {
      tn_finish_channels(stage, c, count, sums + i * TN_BLOCK_CHANNELS, values);
      const int32_t at = p->at + i * output_c + c;
      for (int32_t k = 0; k < count; ++k) tn_store(p->output, at + k, values[k], bits->output);
    }
    weights += tn_group_bytes_s4(depth, count, bits->weights);
  }
}

#endif
