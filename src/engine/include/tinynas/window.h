/* Operators that slide a window: convolutions and pools. Portable bodies: portable/ (conv2d.c, depthwise.c, ...).
 *
 * int8, per-channel requantisation. Everywhere `bias[c]` already holds bias - input_zero_point * sum(weights of channel c),
 * so that kernels multiply the stored values; padding then counts as input_zero_point.
 */
#ifndef TINYNAS_WINDOW_H
#define TINYNAS_WINDOW_H

#include "tinynas/step.h"

/* Requantisation of output channel c: clamp(requantize(acc, multiplier[c], shift[c]) + zero_point, low, high). */
typedef struct {
  const int32_t* bias;
  const int32_t* multiplier;
  const int8_t* shift; /* positive: left */
  int32_t zero_point, low, high;
} tn_output_stage;

/* Geometry of a window; heights of padding are the step's NULL rows. */
typedef struct {
  int16_t kernel_h, kernel_w;
  int16_t stride_h, stride_w;
  int16_t dilation_h, dilation_w;
  int16_t pad_left;
  int16_t input_w; /* columns of an input row, padding not counted */
} tn_geometry;

/* One or two pixels (of a 1x1, or gathered windows) to be multiplied with output channels in blocks of four. The order of
 * the fields is known to thumb2/blocks.S. */
typedef struct {
  const int8_t* pixel[2]; /* `depth` values each */
  int8_t* output[2];      /* where the first of the channels goes */
  const int8_t* weights;  /* block[depth][4] */
  const int32_t* bias;    /* of the first of the channels, as are multiplier and shift */
  const int32_t* multiplier;
  const int8_t* shift;
  int32_t zero_point, low, high;
  int32_t depth;
  int32_t blocks; /* >= 1 */
  int32_t pixels; /* 1 or 2 */
} tn_pixel_pair;
typedef void tn_blocks_kernel(const tn_pixel_pair* pair);
void tn_blocks(const tn_pixel_pair* pair); /* any stage */
/* Armv7-M; low -128, high 127, every shift in [-24, -2]. */
void tn_thumb2_blocks(const tn_pixel_pair* pair);

/* Convolution, groups >= 1. weights: a window is [kernel_h][kernel_w][input_c / groups]; per group in blocks of four
 * channels, the last having what is left: block[window][channels of the block]. Scratch: TN_IM2COL_PIXELS windows of one
 * group. */
typedef struct {
  tn_blocks_kernel* kernel;
  tn_geometry geometry;
  const int8_t* weights;
  tn_output_stage stage;
  int16_t input_c, output_c, groups;
  int16_t input_zero_point;
} tn_conv2d_params;
void tn_conv2d(const tn_step* step, const tn_conv2d_params* params);

/* 1x1, stride 1, no padding; also fully connected (a row of one pixel). weights in blocks as tn_conv2d's. */
typedef struct {
  tn_blocks_kernel* kernel;
  const int8_t* weights;
  tn_output_stage stage;
  int32_t input_c, output_c;
} tn_pointwise_params;
void tn_pointwise(const tn_step* step, const tn_pointwise_params* params);

/* Depthwise, output channel c * multiplier + m reads input channel c. weights [kernel_h][kernel_w][input_c * multiplier]. */
typedef struct {
  tn_geometry geometry;
  const int8_t* weights;
  tn_output_stage stage;
  int16_t input_c, channel_multiplier;
  int16_t input_zero_point;
} tn_depthwise_params;
void tn_depthwise(const tn_step* step, const tn_depthwise_params* params);

/* The whole map at once, channel by channel, over its own input: input[0] == output[0], both tensors whole and without gaps,
 * channel_multiplier 1, H' x W' <= H x W. Scratch: one padded plane. */
typedef struct {
  tn_depthwise_params depthwise;
  int16_t input_h, output_h, output_w;
  int16_t pad_top, pad_bottom, pad_right;
} tn_depthwise_in_place_params;
void tn_depthwise_in_place(const tn_step* step, const tn_depthwise_in_place_params* params);

/* Transposed convolution, whole map at once. weights [output_c][kernel_h][kernel_w][input_c]; here `bias` is the plain bias,
 * since padding takes no part. Scratch: a row of int32 sums. */
typedef struct {
  tn_geometry geometry;
  const int8_t* weights;
  tn_output_stage stage;
  int16_t input_h, input_c, output_h, output_w, output_c, pad_top;
  int16_t input_zero_point;
} tn_transpose_conv_params;
void tn_transpose_conv(const tn_step* step, const tn_transpose_conv_params* params);

/* Pools; the average's divisor counts the values inside the map and rounds half away from zero. */
typedef struct {
  tn_geometry geometry;
  int16_t channels;
  int16_t low, high;
} tn_pool_params;
void tn_average_pool(const tn_step* step, const tn_pool_params* params);
void tn_max_pool(const tn_step* step, const tn_pool_params* params);

#endif
