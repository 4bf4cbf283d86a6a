/* Operators that only move values. `size` is the bytes of an element. */
#ifndef TINYNAS_MOVE_H
#define TINYNAS_MOVE_H

#include "tinynas/step.h"

/* Rows as they are: width * pixel_bytes each. */
typedef struct {
  int32_t pixel_bytes;
} tn_copy_params;
void tn_copy(const tn_step* step, const tn_copy_params* params);

/* Concatenation: one call per input, which lands `offset` bytes into every output pixel. */
typedef struct {
  int32_t input_bytes;  /* of an input pixel */
  int32_t output_bytes; /* of an output pixel */
  int32_t offset;
} tn_concat_params;
void tn_concat(const tn_step* step, const tn_concat_params* params);

/* PAD of columns and channels; a NULL input row is a row of padding. */
typedef struct {
  int32_t input_w, input_c, output_c;
  int32_t left, front; /* columns and channels before */
  int32_t value;
} tn_pad_params;
void tn_pad(const tn_step* step, const tn_pad_params* params);

/* Nearest neighbour, whole map at once: output (y, x) reads input (row[y], column[x]). */
typedef struct {
  const int16_t* row;    /* [output_h] */
  const int16_t* column; /* [output_w] */
  int16_t output_h, output_w;
  int32_t input_row_bytes, pixel_bytes;
} tn_resize_nearest_params;
void tn_resize_nearest(const tn_step* step, const tn_resize_nearest_params* params);

/* Bilinear, whole map at once. Each source is {lower, upper, weight of the upper in 1/1024}. */
typedef struct {
  const int16_t* row;    /* [output_h][3] */
  const int16_t* column; /* [output_w][3] */
  int16_t output_h, output_w;
  int32_t input_row_bytes, channels;
} tn_resize_bilinear_params;
void tn_resize_bilinear(const tn_step* step, const tn_resize_bilinear_params* params);

/* General copy of a whole tensor of up to 5 dimensions: output in its order, input by strides (transposition, slices).
 * One step for everything. */
typedef struct {
  int32_t dims[5];          /* output extents, outermost first, 1 where unused */
  int32_t input_strides[5]; /* bytes */
  int32_t element_bytes;
} tn_transpose_params;
void tn_transpose(const tn_step* step, const tn_transpose_params* params);

/* bytes at `destination` = value: the padding columns of planar rings at the start of a segment. */
void tn_fill(void* destination, int32_t value, int32_t bytes);

#endif
