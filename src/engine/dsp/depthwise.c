/* Depthwise convolution over strips: pieces of the input rows, unpacked to halfwords channel by channel, their padding
 * filled in.
 *
 *     strip row   | left padding | columns 0 .. W-1 of the map | right padding |      a piece of it when the row is long
 *     halfword      0 .. left-1    left ..
 */
#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

enum { STRIP_WORDS = TN_DSP_STRIP_ROW / 4 };

/* What a strip holds: columns [first, end) of the map as `pairs` words behind `left` words of padding. */
typedef struct {
  int32_t first, left, pairs;
  int32_t odd;   /* the last pair's second column lies outside the map */
  int32_t words; /* used by the outputs of the strip */
  int32_t rows, strip_bytes;
  uint32_t padding; /* a word of it */
} strip_form;

static strip_form form_of(const tn_dsp_depthwise_params* p, int32_t x, int32_t outputs, int32_t rows) {
  strip_form form;
  /* Column of halfword 0: even, so that pairs start at even columns (dsp.h demands the parity that makes it so). */
  const int32_t origin = (x * p->stride - p->pad_left) & ~1;
  const int32_t end = x * p->stride - p->pad_left + (outputs - 1) * p->stride + p->kernel_size;
  form.first = origin > 0 ? origin : 0;
  const int32_t to = end < p->input_w ? end : p->input_w;
  form.left = (form.first - origin) >> 1;
  form.pairs = to > form.first ? (to - form.first + 1) >> 1 : 0;
  form.odd = form.first + 2 * form.pairs > p->input_w;
  form.words = (end - origin + 1) >> 1;
  form.rows = (rows - 1) * p->stride + p->kernel_size;
  form.strip_bytes = tn_dsp_strips_narrow(form.words) ? 4 * form.words : form.rows * TN_DSP_STRIP_ROW;
  form.padding = (uint16_t)p->input_zero_point * UINT32_C(0x10001);
  return form;
}

static void fill(uint32_t* words, int32_t count, uint32_t value) {
  while (count-- > 0) *words++ = value;
}

/* The padding columns of all strips, and whole rows of padding. */
static void fill_padding(const strip_form* form, const int8_t* const* input, uint32_t* strips) {
  const int32_t end = form->left + form->pairs;
  for (int32_t r = 0; r < form->rows; ++r) {
    for (int32_t c = 0; c < TN_DSP_STRIP_CHANNELS; ++c) {
      uint32_t* row = strips + c * (form->strip_bytes / 4) + r * STRIP_WORDS;
      if (input[r] == NULL) {
        fill(row, form->words, form->padding);
      } else {
        fill(row, form->left, form->padding);
        fill(row + end, form->words - end, form->padding);
      }
    }
  }
}

static void run_strips(const tn_step* step, const tn_dsp_depthwise_params* p, int32_t r, int32_t rows, int32_t x,
                       int32_t outputs) {
  const strip_form form = form_of(p, x, outputs, rows);
  const int8_t* const* input = step->input + r * p->stride;
  fill_padding(&form, input, step->scratch);
  tn_dsp_lanes lanes = {.strip = step->scratch,
                        .output = step->output + r,
                        .channels = TN_DSP_STRIP_CHANNELS,
                        .strip_bytes = form.strip_bytes,
                        .rows = rows,
                        .blocks = outputs >> 2,
                        .tail = outputs & 3,
                        .stride = p->channels};
  tn_dsp_unpack unpack = {.rows = input,
                          .count = form.rows,
                          .pixel_bytes = p->channels,
                          .strip = (int16_t*)step->scratch + 2 * form.left,
                          .strip_bytes = form.strip_bytes,
                          .pairs = form.pairs - form.odd,
                          .odd = form.odd,
                          .padding = form.padding};
  for (int32_t c = 0; c < p->channels; c += TN_DSP_STRIP_CHANNELS) {
    /* The last four channels overlap the four before them when the number is no multiple of four. */
    const int32_t channel = c + TN_DSP_STRIP_CHANNELS <= p->channels ? c : p->channels - TN_DSP_STRIP_CHANNELS;
    unpack.offset = form.first * p->channels + channel;
    tn_dsp_unpack_nhwc(&unpack);
    lanes.weights = p->weights + channel * p->channel_words;
    lanes.offset = x * p->channels + channel;
    p->kernel(&lanes);
  }
}

void tn_dsp_depthwise(const tn_step* step, const tn_dsp_depthwise_params* params) {
  /* Columns of a strip that its last block reads are 2 * STRIP_WORDS at most: 40 outputs with stride 1, 20 with stride 2. */
  const int32_t longest = 40 / params->stride;
  const int32_t most_rows = tn_dsp_strip_output_rows(params->kernel_size, params->stride, step->rows);
  for (int32_t r = 0; r < step->rows; r += most_rows) {
    const int32_t rows = step->rows - r < most_rows ? step->rows - r : most_rows;
    for (int32_t x = step->x0; x < step->x1; x += longest) {
      const int32_t outputs = step->x1 - x < longest ? step->x1 - x : longest;
      run_strips(step, params, r, rows, x, outputs);
    }
  }
}
