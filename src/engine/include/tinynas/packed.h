/* Operators on values of 4 bits. Bodies: portable/ (pointwise_s4.c, ...).
 *
 * Any of an operator's inputs, weights and outputs may have 4 bits, the others 8; `bits` fields say which. A row of 4-bit
 * values lies two to a byte, the low nibble first, padded with zero to whole bytes; columns are counted in values.
 * Arithmetic is that of the 8-bit kernels: int32 sums, the same requantisation, outputs clamped to low..high within -8..7.
 */
#ifndef TINYNAS_PACKED_H
#define TINYNAS_PACKED_H

#include "tinynas/elementwise.h"
#include "tinynas/reduce.h"
#include "tinynas/window.h"

typedef struct {
  int8_t input, weights, output; /* 4 or 8 */
} tn_bits;

/* As tn_pointwise. Weights of 4 bits: blocks of four channels, a last one of what is left; block[depth][channels], the
 * channels of a block two to a byte. Scratch with an input of 4 bits: TN_IM2COL_PIXELS pixels of int8. */
typedef struct {
  tn_pointwise_params pointwise;
  tn_bits bits;
} tn_pointwise_s4_params;
void tn_pointwise_s4(const tn_step* step, const tn_pointwise_s4_params* params);

/* As tn_conv2d, groups included: every group has blocks of its own. Scratch as tn_conv2d's. */
typedef struct {
  tn_conv2d_params conv;
  tn_bits bits;
} tn_conv2d_s4_params;
void tn_conv2d_s4(const tn_step* step, const tn_conv2d_s4_params* params);

/* As tn_depthwise. Weights of 4 bits: [kernel_h * kernel_w * channels], two to a byte. */
typedef struct {
  tn_depthwise_params depthwise;
  tn_bits bits;
} tn_depthwise_s4_params;
void tn_depthwise_s4(const tn_step* step, const tn_depthwise_s4_params* params);

/* As tn_add; inputs and output of 4 or 8 bits each (`bits.weights` is the second input's). */
typedef struct {
  tn_add_params add;
  tn_bits bits;
} tn_add_s4_params;
void tn_add_s4(const tn_step* step, const tn_add_s4_params* params);

/* The same of maps of one shape, all of 4 bits: table[first | second << 4], nibbles as they are stored, is the sum's nibble.
 */
typedef struct {
  const uint8_t* table; /* [256] */
  int32_t channels;
} tn_add_table_s4_params;
void tn_add_table_s4(const tn_step* step, const tn_add_table_s4_params* params);

/* Pools of 4-bit values into 4-bit values. */
void tn_average_pool_s4(const tn_step* step, const tn_pool_params* params);
void tn_max_pool_s4(const tn_step* step, const tn_pool_params* params);

/* Of one output pixel from its taps (pixels.h); a pixel is whole bytes, the last nibble zero where channels are odd; a
 * padding tap points to zero points. */
void tn_conv2d_pixel_s4(const tn_step* step, const tn_conv2d_s4_params* params);
void tn_depthwise_pixel_s4(const tn_step* step, const tn_depthwise_s4_params* params);
void tn_average_pool_pixel_s4(const tn_step* step, const tn_pool_params* params);
void tn_max_pool_pixel_s4(const tn_step* step, const tn_pool_params* params);

/* tn_sum_row and tn_sum_finish_average, tn_max_row and tn_max_finish on 4-bit values. */
void tn_sum_row_s4(const tn_step* step, const tn_sum_params* params);
void tn_sum_finish_average_s4(const tn_step* step, const tn_sum_params* params);
void tn_max_row_s4(const tn_step* step, const tn_sum_params* params);
void tn_max_finish_s4(const tn_step* step, const tn_sum_params* params);

#endif
