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

#endif
