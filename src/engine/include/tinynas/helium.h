/* Kernels for cores with MVE (Cortex-M55, M85). Constants are packed by codegen/helium_set.cc. */
#ifndef TINYNAS_HELIUM_H
#define TINYNAS_HELIUM_H

#include "tinynas/reduce.h"
#include "tinynas/scratch.h"
#include "tinynas/step.h"
#include "tinynas/window.h"

/* Blocks of four pixels times all output channels. The order of the fields is known to helium/block.inc. */
typedef struct {
  const int8_t* pixel[4]; /* of the first block */
  uint16_t offsets[8];    /* of the results in the output: channel 0 and 1 of pixel 0, of pixel 1, ... */
  const uint32_t* stream;
  int8_t* output;
  int32_t blocks;                    /* >= 1 */
  int32_t input_bytes, output_bytes; /* from one block to the next */
  int32_t steps;                     /* of 16 input values */
  int32_t last;                      /* values of the last step, 1..16 */
  int32_t zero_point, low, high;
} tn_helium_block_args;
/* Changes pixel and output. */
typedef void tn_helium_block_kernel(tn_helium_block_args* arguments);
/* Up to 16 input values; 17 to 160; more. How the results are requantised: helium/requantize.inc. */
tn_helium_block_kernel tn_helium_block_single_hidden, tn_helium_block_single_linear, tn_helium_block_single_general;
tn_helium_block_kernel tn_helium_block_short_hidden, tn_helium_block_short_linear, tn_helium_block_short_general;
tn_helium_block_kernel tn_helium_block_long_hidden, tn_helium_block_long_linear, tn_helium_block_long_general;
/* The same with weights of 4 bits. */
tn_helium_block_kernel tn_helium_block_single_hidden_s4, tn_helium_block_single_linear_s4, tn_helium_block_single_general_s4;
tn_helium_block_kernel tn_helium_block_short_hidden_s4, tn_helium_block_short_linear_s4, tn_helium_block_short_general_s4;
tn_helium_block_kernel tn_helium_block_long_hidden_s4, tn_helium_block_long_linear_s4, tn_helium_block_long_general_s4;

/* Weights and constants of all pairs of output channels, in the order in which the kernel reads them. */
typedef struct {
  tn_helium_block_kernel* kernel;
  const uint32_t* stream;
  int32_t length;   /* input values of an output pixel */
  int32_t output_c; /* >= 2 */
  int32_t zero_point, low, high;
} tn_helium_matrix;

/* `pixels` vectors of `length` values, `stride` bytes apart, times all channels, to nhwc pixels. Reads nothing else. */
void tn_helium_multiply(const tn_helium_matrix* matrix, const int8_t* input, int32_t stride, int32_t pixels, int8_t* output);

/* How many of the rows follow each other in memory, `bytes` apart: they are one long row. */
int32_t tn_helium_joined(const int8_t* const* rows, int32_t count, int32_t bytes);

typedef struct {
  tn_helium_matrix matrix;
} tn_helium_pointwise_params;
void tn_helium_pointwise(const tn_step* step, const tn_helium_pointwise_params* params);

/* Runs of bytes. The order of the fields is known to helium/copy.S. */
typedef struct {
  const int8_t* from;
  int8_t* to;
  int32_t from_step, to_step; /* bytes from one run to the next */
  int32_t count;              /* runs, >= 1 */
  int32_t bytes;              /* of a run, >= 1 */
} tn_helium_copy_args;
void tn_helium_copy(const tn_helium_copy_args* arguments);

typedef struct {
  tn_helium_matrix matrix;
  tn_geometry geometry;
  int16_t input_c, input_zero_point;
  int16_t inside_begin, inside_end; /* output columns whose windows need no padding; empty with dilation of columns */
  int32_t window_bytes;             /* tn_helium_window_bytes() */
  int32_t windows;                  /* gathered together: tn_helium_windows() */
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

/* `bytes` bytes = value; a libc's memset goes byte by byte. */
void tn_helium_fill(int8_t* to, int32_t value, int32_t bytes);

/* Two rows of up to eight channels into planes. The order of the fields is known to helium/unpack.S. */
typedef struct {
  const int8_t *even, *odd;
  int32_t even_step, odd_step; /* bytes from one column to the next; 0: all columns are the same one */
  int8_t* planes;              /* the first channel's, where the first column goes */
  int32_t column_bytes;        /* there */
  int32_t columns;             /* >= 1 */
  int32_t other;               /* bytes to where the same goes once more; 0: nowhere */
  int32_t plane_bytes;
  int32_t channels; /* eight at most are taken */
} tn_helium_unpack_args;
void tn_helium_unpack(const tn_helium_unpack_args* arguments);

/* Depthwise over strips: padded planes of eight channels, in groups of 2 or 4 input rows whose bytes alternate. Group g
 * begins with row 2 g: in groups of 4, neighbouring groups share two rows. The order of the fields is known to
 * helium/strips.inc. */
typedef struct {
  const int8_t* data;     /* strip of the first channel */
  int8_t* const* rows;    /* of the output, first channel: two a pass (pair; the last twice when it is alone) or one */
  const uint32_t* stream; /* weights and constants of the channels */
  const uint32_t* stream_end;
  int32_t passes, blocks;    /* rows or pairs of rows; of pixels in a row */
  int32_t step;              /* bytes from one block to the next in the output */
  int32_t back, back_output; /* a last block lies so many bytes before the next one would; 0: there is none */
  int32_t next;              /* bytes from behind a strip's blocks to the next strip */
  int32_t group_bytes;       /* of a strip */
  int32_t steps;             /* row groups under a window */
  int32_t zero_point, low, high;
  uint32_t lanes; /* that are stored, as in VPR.P0 */
  union {         /* of a block's pixels in the output */
    uint32_t words[4];
    uint16_t halves[8]; /* pixel 0, 4, 1, 5, 2, 6, 3, 7 */
  } offsets;
} tn_helium_strips_args;
/* Changes data, rows and passes. */
typedef void tn_helium_strips_kernel(tn_helium_strips_args* arguments);
/* pair: two output rows by four columns, stride 1; row: one by eight, stride 1 or 2. Depth of the groups: 2 or 4 rows. */
tn_helium_strips_kernel tn_helium_strips_pair_d4_hidden, tn_helium_strips_pair_d4_linear, tn_helium_strips_pair_d4_general;
tn_helium_strips_kernel tn_helium_strips_pair_d2_hidden, tn_helium_strips_pair_d2_linear, tn_helium_strips_pair_d2_general;
tn_helium_strips_kernel tn_helium_strips_row1_d4_hidden, tn_helium_strips_row1_d4_linear, tn_helium_strips_row1_d4_general;
tn_helium_strips_kernel tn_helium_strips_row1_d2_hidden, tn_helium_strips_row1_d2_linear, tn_helium_strips_row1_d2_general;
tn_helium_strips_kernel tn_helium_strips_row2_d4_hidden, tn_helium_strips_row2_d4_linear, tn_helium_strips_row2_d4_general;
tn_helium_strips_kernel tn_helium_strips_row2_d2_hidden, tn_helium_strips_row2_d2_linear, tn_helium_strips_row2_d2_general;

/* Depthwise with one output channel per input channel, no dilation, the same stride of 1 or 2 both ways; which kernels and
 * sizes: tn_helium_strips_of(). */
typedef struct {
  tn_helium_strips_kernel* kernel;
  tn_geometry geometry;
  const uint32_t* stream;
  int32_t channel_words; /* of the stream */
  int16_t channels, input_zero_point, output_w;
  int32_t zero_point, low, high;
  tn_helium_strips strips;
} tn_helium_depthwise_strips_params;
void tn_helium_depthwise_strips(const tn_step* step, const tn_helium_depthwise_strips_params* params);

/* Maps of 4 bits: the kernels above on rows that are widened to int8 in the step's scratch; scratch_helium.h says where they
 * serve. */
tn_step tn_helium_widen(const tn_step* step, const tn_helium_maps* maps);
/* Packs what was computed for `wide` into the rows of `step`. */
void tn_helium_narrow(const tn_step* step, const tn_step* wide, const tn_helium_maps* maps);

typedef struct {
  tn_helium_maps maps;
  tn_helium_pointwise_params body;
} tn_helium_pointwise_s4_params;
void tn_helium_pointwise_s4(const tn_step* step, const tn_helium_pointwise_s4_params* params);

typedef struct {
  tn_helium_maps maps;
  tn_helium_conv2d_params body;
} tn_helium_conv2d_s4_params;
void tn_helium_conv2d_s4(const tn_step* step, const tn_helium_conv2d_s4_params* params);

typedef struct {
  tn_helium_maps maps;
  tn_helium_depthwise_params body;
} tn_helium_depthwise_s4_params;
void tn_helium_depthwise_s4(const tn_step* step, const tn_helium_depthwise_s4_params* params);

typedef struct {
  tn_helium_maps maps;
  tn_helium_depthwise_strips_params body;
} tn_helium_depthwise_strips_s4_params;
void tn_helium_depthwise_strips_s4(const tn_step* step, const tn_helium_depthwise_strips_s4_params* params);

void tn_helium_sum_row(const tn_step* step, const tn_sum_params* params); /* as tn_sum_row */

#endif
