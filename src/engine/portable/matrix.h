/* The multiplication that pointwise, convolution (on gathered windows) and fully connected share: pixels of `depth` values
 * times output channels of `depth` weights, requantised. Two pixels by four channels at a time: six loads for eight
 * products.
 *
 * Weights come in blocks of four channels, the last block having what is left: block[depth][channels of the block].
 */
#ifndef TINYNAS_PORTABLE_MATRIX_H
#define TINYNAS_PORTABLE_MATRIX_H

#include "finish.h"

#define TN_BLOCK_CHANNELS 4

/* The matrix of output channels [first, first + channels) with the pixels still open. */
typedef struct {
  tn_blocks_kernel* kernel; /* for whole blocks */
  tn_pixel_pair pair;
  int32_t channels;
} tn_matrix;

/* `weights`: of the first channel. */
tn_matrix tn_matrix_of(tn_blocks_kernel* kernel, const tn_output_stage* stage, const int8_t* weights, int32_t depth,
                       int32_t first, int32_t channels);

/* Pixels and outputs of matrix->pair, all channels. */
void tn_multiply(const tn_matrix* matrix);

#endif
