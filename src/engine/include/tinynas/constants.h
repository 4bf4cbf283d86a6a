/* Words of the constants that the generator packs for the DSP and Helium kernels (codegen/dsp_pack.h, dsp_pack_s4.h,
 * helium_pack.h): the one place that oracle and generator share. */
#ifndef TINYNAS_CONSTANTS_H
#define TINYNAS_CONSTANTS_H

#include "tinynas/scratch.h"

/* A matrix of `channels` output channels by `steps` of two inputs, when all channels find a partner. */
static inline int32_t tn_dsp_matrix_words(int32_t steps, int32_t channels, int32_t weight_bits) {
  const int32_t words = weight_bits == 4 ? (steps + 1) / 2 : steps, lead = weight_bits == 4 ? 0 : tn_dsp_lead(steps);
  return lead + (channels + 1) / 2 * (TN_DSP_PAIR_HEADER + words);
}

/* The same with weights of 16 bits (dsp/tile_w16.S). */
#define TN_DSP_W16_STEPS 16
#define TN_DSP_W16_HEADER 8
static inline int32_t tn_dsp_w16_words(int32_t steps, int32_t channels) {
  return tn_dsp_lead(steps) + (channels + 1) / 2 * (TN_DSP_W16_HEADER + 2 * steps);
}

/* Weights, inputs and outputs of 4 bits: two words, then fours of channels, each with two words for every group of steps. */
#define TN_DSP_QUAD_HEADER 17
static inline int32_t tn_dsp_quads_words(int32_t steps, int32_t channels, int32_t groups) {
  return 2 + channels / 4 * (TN_DSP_QUAD_HEADER + 2 * groups + steps);
}

/* A channel of a depthwise convolution, and the rows of zeros beside its weights for whole maps of 7 x 7: dsp/lanes.inc. */
#define TN_DSP_MAP_ZERO_ROWS 2
static inline int32_t tn_dsp_lanes_words(int32_t kernel, int32_t stride, int32_t zero_rows) {
  return 6 + (kernel + zero_rows) * (stride == 2 ? (kernel + 1) / 2 : kernel - 1);
}

/* Requantisation of a channel: outputs of int8 need the general mode, with a word more, hardly ever, those of 4 bits always.
 */
static inline int32_t tn_helium_stage_words(int32_t output_bits) { return output_bits == 4 ? 4 : 3; }

/* A matrix: pairs of channels (the last of an odd number shares one with the pair before) by steps of 16 values. */
static inline int32_t tn_helium_matrix_words(int32_t length, const tn_shape* s) {
  const int32_t weights = (length + 15) / 16 * (s->weight_bits == 4 ? 4 : 8);
  return (s->output_c + 1) / 2 * (weights + 2 * tn_helium_stage_words(s->output_bits));
}

/* A channel of a depthwise convolution: helium/strips.inc. */
static inline int32_t tn_helium_lanes_words(const tn_helium_strips* strips, int32_t output_bits) {
  return 4 * strips->steps * (strips->pair && strips->depth == 2 ? 2 : 1) + tn_helium_stage_words(output_bits);
}

#endif
