/* Kernels for cores with SMLAD and its relatives (Cortex-M4, M7, M33 with FPU registers): 8-bit activations are unpacked to
 * halfwords once per tile, then two output channels by four pixels are multiplied at a time (dsp/tile.inc), and depthwise
 * convolutions run over strips of one channel (dsp/lanes.inc). Constants are packed by codegen/dsp_pack.h. */
#ifndef TINYNAS_DSP_H
#define TINYNAS_DSP_H

#include "tinynas/scratch.h"
#include "tinynas/step.h"
#include "tinynas/window.h"

/* In front of the first pair of a packed matrix stand TN_DSP_LEAD words (scratch.h): the kernels load registers that they do
 * not use from there. */

/* Rows of gathered pixels times pairs of output channels. The order of the fields is known to dsp/tile.inc. */
typedef struct {
  const int16_t* tile;
  const uint32_t* weights;
  int8_t* const* output; /* rows */
  int32_t steps;         /* of two input channels */
  int32_t pairs;         /* of output channels */
  int32_t rows;
  int32_t blocks; /* of four pixels in a row */
  int32_t tail;   /* pixels behind them, 0..3 */
  int32_t stride; /* nhwc: bytes of a pixel; planar: bytes of a plane */
  int32_t offset; /* bytes from the start of an output row to the first pixel, first channel */
} tn_dsp_tile;
typedef void tn_dsp_tile_kernel(const tn_dsp_tile* tile);
void tn_dsp_tile_nhwc(const tn_dsp_tile* tile);
void tn_dsp_tile_planar(const tn_dsp_tile* tile);
void tn_dsp_tile_s4(const tn_dsp_tile* tile); /* nhwc, weights of 4 bits (dsp/expand.S) */
const uint32_t* tn_dsp_expand(const uint32_t* packed, uint32_t* words, int32_t pairs, int32_t steps);

int16_t* tn_dsp_gather(const int8_t* source, int32_t length, int32_t stride, int16_t* tile, int32_t pixels);

/* A packed weight matrix and how its results are stored. */
typedef struct {
  tn_dsp_tile_kernel* kernel;
  const uint32_t* weights; /* TN_DSP_LEAD words, then pairs */
  int32_t steps, pairs;
  int32_t stride;      /* as tn_dsp_tile */
  int32_t pixel_bytes; /* of the output, from one pixel to the next: nhwc channels; planar 1 */
  int32_t tile_pixels; /* tn_dsp_tile_pixels() */
} tn_dsp_matrix;

/* 1x1, stride 1; also fully connected. Planar output: x0 a multiple of 4. */
typedef struct {
  tn_dsp_matrix matrix;
  int32_t input_c;
} tn_dsp_pointwise_params;
void tn_dsp_pointwise(const tn_step* step, const tn_dsp_pointwise_params* params);

/* Any window without dilation of columns and groups. */
typedef struct {
  tn_dsp_matrix matrix;
  tn_geometry geometry;
  int16_t input_c, input_zero_point;
} tn_dsp_conv2d_params;
void tn_dsp_conv2d(const tn_step* step, const tn_dsp_conv2d_params* params);

/* Depthwise over the strips of some channels. The order of the fields is known to dsp/lanes.inc. */
typedef struct {
  const int16_t* strip; /* of the first channel */
  const uint32_t* weights;
  int8_t* const* output; /* rows, nhwc */
  int32_t offset;        /* of the first pixel and channel in an output row */
  int32_t channels;
  int32_t strip_bytes; /* from one channel's strip to the next */
  int32_t rows;
  int32_t blocks; /* of four outputs in a row */
  int32_t tail;   /* outputs behind them, 0..3 */
  int32_t stride; /* bytes of an output pixel */
} tn_dsp_lanes;
typedef void tn_dsp_lanes_kernel(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_3x3s1(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_3x3s2(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_5x5s1(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_5x5s2(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_7x7s1(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_7x7s2(const tn_dsp_lanes* lanes);

/* K x K with K = 3, 5, 7, stride 1 or 2 both ways, no dilation, one output channel per input channel, at least 4 channels;
 * with stride 1 the left padding is even for K = 5 and odd for K = 3, 7. Any x0 that is a multiple of 4. */
typedef struct {
  tn_dsp_lanes_kernel* kernel;
  const uint32_t* weights;
  int32_t channel_words; /* of the weights */
  int16_t kernel_size, stride;
  int16_t pad_left, input_w;
  int16_t channels, input_zero_point;
} tn_dsp_depthwise_params;
void tn_dsp_depthwise(const tn_step* step, const tn_dsp_depthwise_params* params);

/* Some rows of four neighbouring channels into the channels' strips. The order of the fields is known to dsp/unpack_nhwc.S.
 */
typedef struct {
  const int8_t* const* rows; /* NULL: left out */
  int32_t count;
  int32_t offset;      /* of the first column and channel in a row */
  int32_t pixel_bytes; /* from one column to the next */
  int16_t* strip;      /* where the first column goes */
  int32_t strip_bytes;
  int32_t pairs;    /* of columns that both lie in the map */
  int32_t odd;      /* 1: one more column, its neighbour is padding */
  uint32_t padding; /* two halfwords of it */
} tn_dsp_unpack;
void tn_dsp_unpack_nhwc(const tn_dsp_unpack* arguments);

/* ADD without broadcasting: (first * A + second * B + C) >> 21 saturated, A and B with 8 bits more, where that equals
 * TensorFlow Lite's arithmetic for every pair of values. */
typedef struct {
  int32_t constants[3]; /* A, B, C */
  int32_t channels;
} tn_dsp_add_params;
void tn_dsp_add(const tn_step* step, const tn_dsp_add_params* params);
void tn_dsp_add_words(const int8_t* first, const int8_t* second, int8_t* output, int32_t words, const int32_t* constants);

#endif
