/* Kernels for cores with MVE (Cortex-M55, M85). Constants are packed by codegen/helium_set.cc. */
#ifndef TINYNAS_HELIUM_H
#define TINYNAS_HELIUM_H

#include "tinynas/step.h"
#include "tinynas/window.h"

/* Weights and constants of all pairs of output channels, in the order in which helium/block.S reads them. */
typedef struct {
  const uint32_t* stream;
  int32_t length; /* input values of an output pixel */
  int32_t output_c;
  int32_t zero_point, low, high;
} tn_helium_matrix;

/* The order of the fields is known to helium/block.S. */
typedef struct {
  const int8_t* pixel[4];
  uint32_t offsets[4]; /* of the pixels in the output */
  const uint32_t* stream;
  int8_t* output;
  int32_t length, channels;
  int32_t zero_point, low, high;
} tn_helium_block_args;
void tn_helium_block(const tn_helium_block_args* arguments);

/* `pixels` vectors of `length` values, `stride` bytes apart, times all channels, to nhwc pixels. Reads nothing else. */
void tn_helium_multiply(const tn_helium_matrix* matrix, const int8_t* input, int32_t stride, int32_t pixels, int8_t* output);

typedef struct {
  tn_helium_matrix matrix;
} tn_helium_pointwise_params;
void tn_helium_pointwise(const tn_step* step, const tn_helium_pointwise_params* params);

typedef struct {
  tn_helium_matrix matrix;
  tn_geometry geometry;
  int16_t input_c, input_zero_point;
  int32_t windows; /* tn_helium_windows() */
} tn_helium_conv2d_params;
void tn_helium_conv2d(const tn_step* step, const tn_helium_conv2d_params* params);

/* One output channel per input channel; weights [kernel_h][kernel_w][channels], constants [4][channels]: biases,
 * multipliers, left and right shifts. */
typedef struct {
  tn_geometry geometry;
  const int8_t* weights;
  const int32_t* constants;
  int16_t channels, input_zero_point;
  int32_t zero_point, low, high;
} tn_helium_depthwise_params;
void tn_helium_depthwise(const tn_step* step, const tn_helium_depthwise_params* params);

/* Four channels of one output row from padded rows of 16 channels a column. The order of the fields is known to
 * helium/lanes.S. */
typedef struct {
  const int8_t* input; /* first column of the first output pixel's window, first of the four channels */
  const int8_t* weights;
  const int32_t* constants;
  int8_t* output;
  int32_t pixel_bytes; /* of the output */
  int32_t row_bytes;   /* of the padded input */
  int32_t kernel_h, kernel_w;
  int32_t blocks; /* of four output pixels */
  int32_t zero_point, low, high;
} tn_helium_lanes_args;
typedef void tn_helium_lanes_kernel(const tn_helium_lanes_args* arguments);
void tn_helium_lanes_s1(const tn_helium_lanes_args* arguments);
void tn_helium_lanes_s2(const tn_helium_lanes_args* arguments);

/* Depthwise with one output channel per input channel, their number a multiple of 4, no dilation, stride 1 or 2 both ways.
 * weights [channels / 16, rounded up][taps][16], constants [channels / 4][biases, left shifts, multipliers, right
 * shifts][4]. */
typedef struct {
  tn_helium_lanes_kernel* kernel;
  tn_geometry geometry;
  const int8_t* weights;
  const int32_t* constants;
  int16_t channels, input_zero_point;
  int32_t zero_point, low, high;
  int32_t columns; /* of a padded row */
  int32_t rows;    /* output rows computed together: tn_helium_lane_rows() */
} tn_helium_depthwise_lanes_params;
void tn_helium_depthwise_lanes(const tn_step* step, const tn_helium_depthwise_lanes_params* params);

#endif
