/* Element by element, tables, and conversions of the number format. */
#ifndef TINYNAS_ELEMENTWISE_H
#define TINYNAS_ELEMENTWISE_H

#include "tinynas/step.h"

/* Broadcasting: element (x, c) of an operand lies at x * pixel_stride + c * channel_stride; strides of 0 repeat. */
typedef struct {
  int32_t pixel_stride, channel_stride;
} tn_operand;

/* ADD: requantise both inputs to a common scale with 20 bits more, add, requantise. */
typedef struct {
  tn_operand first, second;
  int32_t channels;
  int32_t first_zero_point, first_multiplier, first_shift;
  int32_t second_zero_point, second_multiplier, second_shift;
  int32_t output_zero_point, output_multiplier, output_shift;
  int32_t low, high;
} tn_add_params;
void tn_add(const tn_step* step, const tn_add_params* params);

typedef struct {
  tn_operand first, second;
  int32_t channels;
  int32_t first_zero_point, second_zero_point;
  int32_t output_zero_point, output_multiplier, output_shift;
  int32_t low, high;
} tn_mul_params;
void tn_mul(const tn_step* step, const tn_mul_params* params);

/* Any function of one int8 value (logistic, tanh, hard-swish, leaky ReLU, int8 -> int8 or uint8 requantisation):
 * output = table[(uint8_t)value], the stored byte being the index. */
typedef struct {
  const uint8_t* table; /* [256] */
  int32_t values;       /* a pixel */
} tn_lookup_params;
void tn_lookup(const tn_step* step, const tn_lookup_params* params);

/* Parametric ReLU: alpha [channels] constant; x >= 0: requantize(x, identity), else requantize(x * alpha, slope). */
typedef struct {
  const int8_t* alpha;
  int32_t channels;
  int32_t input_zero_point, alpha_zero_point, output_zero_point;
  int32_t identity_multiplier, identity_shift;
  int32_t slope_multiplier, slope_shift;
} tn_prelu_params;
void tn_prelu(const tn_step* step, const tn_prelu_params* params);

/* float -> int8 and back, at the network's ends. */
typedef struct {
  float scale;
  int32_t zero_point;
  int32_t values; /* a pixel */
} tn_convert_params;
void tn_quantize_f32(const tn_step* step, const tn_convert_params* params);
void tn_dequantize_f32(const tn_step* step, const tn_convert_params* params);

#endif
