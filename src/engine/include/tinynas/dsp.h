/* Kernels for cores with SMLAD and its relatives (Cortex-M4, M7, M33 with FPU registers): 8-bit activations are unpacked to
 * halfwords once per tile, then two output channels by four pixels are multiplied at a time (dsp/tile.S), and depthwise
 * convolutions run over strips of one channel (dsp/lanes.inc). Constants are packed by codegen/dsp_pack.h. */
#ifndef TINYNAS_DSP_H
#define TINYNAS_DSP_H

#include "tinynas/scratch.h"
#include "tinynas/step.h"
#include "tinynas/window.h"

/* A tile of gathered pixels times pairs of output channels. The order of the fields is known to dsp/tile.S. */
typedef struct {
  const int16_t* tile;
  const uint32_t* weights;
  int32_t steps;       /* of two input channels */
  int32_t pairs;       /* of output channels */
  int32_t blocks;      /* of four pixels */
  int32_t singles;     /* pixels behind them, 0..3 */
  int32_t plane_bytes; /* planar: from one output channel to the next */
  uint32_t* expanded;  /* weights of 4 bits: where they are unpacked to */
} tn_dsp_tile;
typedef void tn_dsp_tile_kernel(const tn_dsp_tile* tile);
void tn_dsp_tile_run(const tn_dsp_tile* tile);
void tn_dsp_tile_w16(const tn_dsp_tile* tile);  /* weights of 16 bits, few steps, no singles, planar rows */
void tn_dsp_tile_s4(const tn_dsp_tile* tile);   /* weights of 4 bits */
void tn_dsp_tile_w4a4(const tn_dsp_tile* tile); /* and pixels and outputs; `pairs` counts fours of output channels */
const uint32_t* tn_dsp_expand(const uint32_t* packed, uint32_t* words, int32_t pairs, int32_t steps);

/* Windows of neighbouring pixels, and where the pixels go. The order of the fields is known to dsp/gather.S. */
typedef struct {
  const int8_t* const* rows; /* of the first window and all others */
  int32_t offset;            /* from a row's start to the first window */
  int32_t count;             /* rows of a window */
  int32_t length;            /* bytes of a row of one window */
  int32_t stride;            /* bytes from a pixel's window to the next one's */
  int8_t* address;           /* of the first output pixel; planar: a multiple of 4 */
  int32_t apart;             /* bytes from an output pixel to the next, 0: planar */
} tn_dsp_windows;
typedef int16_t* tn_dsp_gather_kernel(const tn_dsp_windows* windows, int16_t* tile, int32_t pixels);
int16_t* tn_dsp_gather(const tn_dsp_windows* windows, int16_t* tile, int32_t pixels);
int16_t* tn_dsp_gather_s4(const int8_t* source, int32_t length, int32_t stride, int16_t* tile, int32_t pixels);

/* A packed weight matrix and how its results are stored. */
typedef struct {
  tn_dsp_tile_kernel* kernel;
  const uint32_t* weights; /* of 8 bits: tn_dsp_lead() words, then pairs */
  int32_t steps, pairs;
  int32_t plane_bytes;    /* planar output: of a channel's row */
  int32_t pixel_bytes;    /* nhwc output: of a pixel; 0: planar */
  int32_t tile_pixels;    /* tn_dsp_tile_pixels() */
  int32_t expanded_bytes; /* of scratch in front of the tile; 0: weights of 8 or 16 bits */
  int32_t blocks_alone;   /* 1: the kernel has no singles, the last block of a run overlaps the one before */
} tn_dsp_matrix;

/* 1x1, stride 1; also fully connected. Planar output: the columns that a row's last word lacks are left alone; where there
 * are none, x0 and x1 are multiples of 4. `blocks_alone`: four columns or more. */
typedef struct {
  tn_dsp_matrix matrix;
  int32_t input_c;
} tn_dsp_pointwise_params;
void tn_dsp_pointwise(const tn_step* step, const tn_dsp_pointwise_params* params);
/* Inputs of 4 bits, input_c a multiple of 8; the outputs are those of the matrix's kernel. */
void tn_dsp_pointwise_s4(const tn_step* step, const tn_dsp_pointwise_params* params);

/* Any window without dilation of columns and groups. `blocks_alone`: a multiple of four columns. */
typedef struct {
  tn_dsp_matrix matrix;
  tn_geometry geometry;
  int16_t input_c, input_zero_point;
  int32_t width; /* of the output */
} tn_dsp_conv2d_params;
void tn_dsp_conv2d(const tn_step* step, const tn_dsp_conv2d_params* params);
/* Into rows of 4-bit values; output channels a multiple of 4. The constants are those of outputs less by 120, as
 * tn_dsp_depthwise_s4's. */
void tn_dsp_conv2d_s4(const tn_step* step, const tn_dsp_conv2d_params* params);

/* Some planar rows of the current channels, to be unpacked into their strips. The order of the fields is known to
 * dsp/unpack_planar.S. */
typedef struct {
  const int8_t* const* rows;
  int32_t count;
  int32_t offset;  /* of the channel's first word in a row; moves on with the channels */
  int32_t bytes;   /* of the channels' planes of a row */
  int16_t* strip;  /* where the first column goes */
  int32_t gap;     /* bytes from the end of a strip row's columns to the next row's */
  const void* row; /* tn_dsp_planes_row() of its words of four columns */
} tn_dsp_planes;
void tn_dsp_unpack_planar(tn_dsp_planes* planes);
const void* tn_dsp_planes_row(int32_t words);

/* Depthwise over the strips of some channels: columns of blocks of four outputs, then a tail. The order of the
 * fields is known to dsp/lanes.inc. */
typedef struct {
  const int16_t* strip; /* word of the first output's first column, first channel */
  const uint32_t* weights;
  int8_t* output;        /* first pixel, first channel */
  tn_dsp_planes* planes; /* filled into strips before the first channel and at `strips_end`; NULL: all strips are there */
  int32_t channels;
  int32_t strip_bytes;       /* from one channel's strip to the next */
  int32_t span;              /* bytes of a strip that all rows of a block advance */
  int32_t blocks;            /* of four outputs in a row */
  int32_t back, back_output; /* bytes from behind a column of blocks to the next: of the strip, of the output */
  int32_t row_bytes;         /* from an output row to the next one */
  int32_t stride;            /* bytes of an output pixel */
  int32_t far;               /* from a block's first output to its last; 0: the last one is not wanted */
  int32_t pair;              /* from the first output of a tail of two to the second; 0: the tail is one output */
  int32_t tail;              /* outputs behind the blocks: 0..3 */
  const int16_t* strips_end; /* where `strip` would be for the channel behind those that are unpacked together; or NULL */
} tn_dsp_lanes;
typedef void tn_dsp_lanes_kernel(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_3x3s1(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_3x3s2(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_5x5s1(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_5x5s2(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_7x7s1(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_7x7s2(const tn_dsp_lanes* lanes);
/* 7 x 7, stride 1, of all rows of a planar map of 2 to 5 rows with a zero point of -128, three rows of padding above and
 * below. Weights have a row of zeros in front of them and one behind. */
void tn_dsp_lanes_map_7x7(const tn_dsp_lanes* lanes);
/* 3 x 3, stride 1, of planar rows of 5 or 6 columns with a zero point of -128, one column of padding beside them; channels
 * that none of the slower ways of lanes.inc is for. */
void tn_dsp_lanes_row5(const tn_dsp_lanes* lanes);
void tn_dsp_lanes_row6(const tn_dsp_lanes* lanes);

/* A whole planar map of 3 x 3. The order of the fields is known to dsp/map_3x3.S. */
typedef struct {
  const int8_t* rows[3];
  const uint32_t* weights;
  int8_t* output;
  int32_t stride;    /* bytes of an output pixel */
  int32_t row_bytes; /* from an output row to the next one */
  int32_t channels;
} tn_dsp_map;
void tn_dsp_map_3x3(const tn_dsp_map* map);

/* Three planar rows of some channels, walked plane by plane from the side of a column of padding. The order of the fields is
 * known to dsp/rows_3x3s2.inc. */
typedef struct {
  const int8_t* rows[3]; /* where the walk begins */
  const uint32_t* weights;
  int8_t* output;  /* the walk's first pixel */
  int32_t next[3]; /* bytes from the walk's end in a plane to its beginning in the next channel's */
  int32_t span;    /* bytes of a row that the blocks of four outputs walk */
  int32_t tail;    /* outputs behind them: 0 or 2 */
  int32_t channels;
  int32_t stride; /* bytes from an output pixel to the next */
} tn_dsp_rows;
typedef void tn_dsp_rows_kernel(const tn_dsp_rows* rows);
void tn_dsp_rows_3x3s2_left(const tn_dsp_rows* rows);
void tn_dsp_rows_3x3s2_right(const tn_dsp_rows* rows);

/* K x K with K = 3, 5, 7, stride 1 or 2 both ways, no dilation, one output channel per input channel, at least 4 channels;
 * with stride 1 the left padding is even for K = 5 and odd for K = 3, 7. Any x0 that is a multiple of 4. */
typedef struct {
  tn_dsp_lanes_kernel* kernel;
  const uint32_t* weights;
  int32_t channel_words; /* of the weights */
  int16_t kernel_size, stride;
  int16_t pad_left, input_w;
  int16_t channels, input_zero_point;
  int16_t together; /* planar rows: tn_dsp_channels_together() */
} tn_dsp_depthwise_params;
void tn_dsp_depthwise(const tn_step* step, const tn_dsp_depthwise_params* params);
void tn_dsp_depthwise_planar(const tn_step* step, const tn_dsp_depthwise_params* params); /* of planar rows */
/* The same of all rows of a map of 3 x 3 with a zero point of -128, stride 1, one column and row of padding around it;
 * channels that none of the slower ways of lanes.inc is for. */
void tn_dsp_depthwise_map_3x3(const tn_step* step, const tn_dsp_depthwise_params* params);
/* 3 x 3, stride 2, of planar rows with a zero point of -128, half as many outputs in a row as inputs, one column of padding;
 * channels that none of the slower ways of lanes.inc is for. Scratch: input_w bytes. */
typedef struct {
  tn_dsp_rows_kernel* kernel;
  const uint32_t* weights; /* as tn_dsp_depthwise's */
  int16_t channels;
  int16_t input_w;  /* a multiple of 4, at least 8 */
  int16_t pad_left; /* 1: the padding is on the left, 0: on the right */
} tn_dsp_depthwise_rows_params;
void tn_dsp_depthwise_rows(const tn_step* step, const tn_dsp_depthwise_rows_params* params);
/* Of 4-bit rows, into such; channels a multiple of 4. The constants are those of outputs less by 120, clamped to int8. */
void tn_dsp_depthwise_s4(const tn_step* step, const tn_dsp_depthwise_params* params);
void tn_dsp_pack_s4(const int8_t* wide, int8_t* output, int32_t count, int32_t stride);

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
void tn_dsp_unpack_nhwc_s4(const tn_dsp_unpack* arguments); /* of 4-bit rows: strips of the values plus 8 */

/* ADD without broadcasting: (first * A + second * B + C) >> 21 saturated, A and B with 8 bits more, where that equals
 * TensorFlow Lite's arithmetic for every pair of values. */
typedef struct {
  int32_t constants[3]; /* A, B, C */
  int32_t channels;
} tn_dsp_add_params;
void tn_dsp_add(const tn_step* step, const tn_dsp_add_params* params);
void tn_dsp_add_words(const int8_t* first, const int8_t* second, int8_t* output, int32_t words, const int32_t* constants);

#endif
