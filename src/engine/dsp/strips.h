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

/* What both layouts' calls share; strips and planes are left to the caller. */
static inline tn_dsp_lanes tn_strip_lanes(const tn_step* step, const tn_dsp_depthwise_params* p, int32_t r, int32_t rows,
                                          int32_t x, int32_t outputs) {
  const int32_t row_bytes = rows > 1 ? (int32_t)(step->output[r + 1] - step->output[r]) : 0;
  const tn_dsp_lanes lanes = {.weights = p->weights,
                              .output = step->output[r] + x * p->channels,
                              .channels = p->channels,
                              .rows = rows,
                              .blocks = outputs >> 2,
                              .tail = outputs & 3,
                              .stride = p->channels,
                              .skip = row_bytes - outputs * p->channels};
  return lanes;
}

typedef void tn_strip_runner(const tn_step* step, const tn_dsp_depthwise_params* p, int32_t r, int32_t rows, int32_t x,
                             int32_t outputs);

/* Runs a step strip by strip. Outputs of a strip row: 40 with stride 1, 20 with stride 2; their columns, those that the last
 * block reads in vain and up to three before them for the sake of alignment fit TN_DSP_STRIP_ROW. */
static inline void tn_strips_run(const tn_step* step, const tn_dsp_depthwise_params* p, tn_strip_runner* run) {
  const int32_t longest = tn_dsp_strip_outputs(p->stride);
  const int32_t most_rows = tn_dsp_strip_output_rows(p->kernel_size, p->stride, step->rows);
  for (int32_t r = 0; r < step->rows;) {
    const int32_t rows = tn_strip_even_rows(step, r, most_rows);
    for (int32_t x = step->x0; x < step->x1; x += longest) {
      const int32_t outputs = step->x1 - x < longest ? step->x1 - x : longest;
      run(step, p, r, rows, x, outputs);
    }
    r += rows;
  }
}

#endif
