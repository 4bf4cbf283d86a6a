/* Strips of the depthwise kernels: pieces of the input rows, unpacked to halfwords channel by channel, their padding filled
 * in.
 *
 *     strip row   | left padding | columns of the map | right padding |      a piece of it when the row is long
 *     halfword      0 .. left-1    left ..
 */
#ifndef TINYNAS_DSP_STRIPS_H
#define TINYNAS_DSP_STRIPS_H

#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

enum { TN_STRIP_WORDS = TN_DSP_STRIP_ROW / 4 };

/* One strip: its rows, and which words of a row the map fills; the others are padding. */
typedef struct {
  int32_t rows, words; /* words: used by the outputs of the strip */
  int32_t left, end;   /* words of the map: [left, end) */
  uint32_t padding;    /* two halfwords of it */
} tn_strip;

static inline void tn_strip_fill(uint32_t* words, int32_t count, uint32_t value) {
  while (count-- > 0) *words++ = value;
}

/* The padding columns of a strip, and its rows of padding. */
static inline void tn_strip_pad(const tn_strip* strip, const int8_t* const* input, uint32_t* row) {
  for (int32_t r = 0; r < strip->rows; ++r, row += TN_STRIP_WORDS) {
    if (input[r] == NULL) {
      tn_strip_fill(row, strip->words, strip->padding);
    } else {
      tn_strip_fill(row, strip->left, strip->padding);
      tn_strip_fill(row + strip->end, strip->words - strip->end, strip->padding);
    }
  }
}

/* Output rows from r on, `most` at most, that lie equally far apart: one call of a lanes kernel. */
static inline int32_t tn_strip_even_rows(const tn_step* step, int32_t r, int32_t most) {
  int32_t rows = 1;
  while (rows < most && r + rows < step->rows &&
         step->output[r + rows] - step->output[r + rows - 1] == step->output[r + 1] - step->output[r]) {
    ++rows;
  }
  return rows;
}

/* What the strips are filled for at a time: output rows and columns of a step. */
typedef struct {
  int32_t r, rows, x, outputs;
} tn_strip_piece;

/* Where its outputs go. */
typedef struct {
  int8_t* first;
  int32_t pixel_bytes, row_bytes;
} tn_strip_place;

static inline tn_strip_place tn_strip_in_map(const tn_step* step, const tn_dsp_depthwise_params* p, tn_strip_piece at) {
  const int32_t row_bytes = at.rows > 1 ? (int32_t)(step->output[at.r + 1] - step->output[at.r]) : 0;
  const tn_strip_place place = {step->output[at.r] + at.x * p->channels, p->channels, row_bytes};
  return place;
}

/* What all layouts' calls share; strips, planes and channels are left to the caller. */
static inline tn_dsp_lanes tn_strip_lanes(const tn_dsp_depthwise_params* p, tn_strip_piece at, tn_strip_place place) {
  const int32_t lone = at.outputs == 3; /* a block, its last output not wanted */
  const int32_t tail = lone ? 0 : at.outputs & 3, span = at.rows * p->stride * TN_DSP_STRIP_ROW;
  tn_dsp_lanes lanes;
  lanes.weights = p->weights;
  lanes.output = place.first;
  lanes.channels = p->channels;
  lanes.span = span;
  lanes.blocks = (at.outputs + lone - tail) >> 2;
  lanes.back = 8 * p->stride - span;
  lanes.back_output = 4 * place.pixel_bytes - at.rows * place.row_bytes;
  lanes.row_bytes = place.row_bytes;
  lanes.stride = place.pixel_bytes;
  lanes.far = lone ? 0 : 3 * place.pixel_bytes;
  lanes.pair = tail == 2 ? place.pixel_bytes : 0;
  lanes.tail = tail;
  lanes.strips_end = NULL;
  return lanes;
}

typedef void tn_strip_runner(const tn_step* step, const tn_dsp_depthwise_params* p, tn_strip_piece at);

/* Runs a step strip by strip. Outputs of a strip row: 40 with stride 1, 20 with stride 2; their columns, those that the last
 * block reads in vain and up to three before them for the sake of alignment fit TN_DSP_STRIP_ROW. */
static inline void tn_strips_run(const tn_step* step, const tn_dsp_depthwise_params* p, tn_strip_runner* run) {
  const int32_t longest = tn_dsp_strip_outputs(p->stride);
  const int32_t most_rows = tn_dsp_strip_output_rows(p->kernel_size, p->stride, step->rows);
  tn_strip_piece at = {0, 0, 0, 0};
  for (; at.r < step->rows; at.r += at.rows) {
    at.rows = tn_strip_even_rows(step, at.r, most_rows);
    for (at.x = step->x0; at.x < step->x1; at.x += longest) {
      at.outputs = step->x1 - at.x < longest ? step->x1 - at.x : longest;
      run(step, p, at);
    }
  }
}

#endif
