/* Depthwise over strips: eight channels at a time brought from the input rows into planes, then computed channel by channel. */
#include <arm_mve.h>
#include <string.h>

#include "tinynas/helium.h"

enum { CHANNELS = TN_HELIUM_STRIP_CHANNELS, PAIR_COLUMNS = 4, ROW_COLUMNS = 8 };

/* Some output rows and their input. */
typedef struct {
  const tn_helium_depthwise_strips_params* params;
  const int8_t* const* input;
  int8_t* const* output;
  int32_t rows, input_rows;
  int32_t group_bytes, plane_bytes; /* of a strip */
  int8_t* strips;
} job;

/* Two neighbouring rows of eight channels as halfwords: `pixels` columns. A step of 0 repeats a column. */
typedef struct {
  const int8_t *even, *odd;
  int32_t even_step, odd_step, pixels;
} row_pair;

static inline uint16x8_t halfwords(const row_pair* r, mve_pred16_t channels) {
  return vsliq_n_u16(vreinterpretq_u16_s16(vldrbq_z_s16(r->even, channels)),
                     vreinterpretq_u16_s16(vldrbq_z_s16(r->odd, channels)), 8);
}

/* To one place, or to two where groups of four share rows. */
static void scatter(row_pair r, mve_pred16_t channels, int8_t* to, int32_t depth, uint16x8_t planes) {
  for (int32_t i = r.pixels; i > 0; --i, r.even += r.even_step, r.odd += r.odd_step, to += depth)
    vstrhq_scatter_offset_u16((uint16_t*)(void*)to, planes, halfwords(&r, channels));
}

static void scatter_twice(row_pair r, mve_pred16_t channels, int8_t* to, int32_t before, uint16x8_t planes) {
  const uint16x8_t first = vaddq_n_u16(planes, (uint16_t)before);
  to -= before;
  for (int32_t i = r.pixels; i > 0; --i, r.even += r.even_step, r.odd += r.odd_step, to += 4) {
    const uint16x8_t v = halfwords(&r, channels);
    vstrhq_scatter_offset_u16((uint16_t*)(void*)to, first, v);
    vstrhq_scatter_offset_u16((uint16_t*)(void*)to, planes, v);
  }
}

/* Input rows 2 k and 2 k + 1 of channels [c, c + 8) into their row group: in groups of four the first two rows of group k and
 * the last two of the one before. */
static void fill_pair(const job* j, int32_t k, int32_t c, uint16x8_t planes) {
  const tn_helium_depthwise_strips_params* p = j->params;
  int8_t padding[CHANNELS];
  const int8_t* even = 2 * k < j->input_rows ? j->input[2 * k] : NULL;
  const int8_t* odd = 2 * k + 1 < j->input_rows ? j->input[2 * k + 1] : NULL;
  if (even == NULL && odd == NULL) return;
  memset(padding, p->input_zero_point, sizeof padding);
  const int32_t room = p->strips.columns - p->geometry.pad_left, depth = p->strips.depth;
  const row_pair r = {even != NULL ? even + c : padding, odd != NULL ? odd + c : padding, even != NULL ? p->channels : 0,
                      odd != NULL ? p->channels : 0, p->geometry.input_w < room ? p->geometry.input_w : room};
  const mve_pred16_t channels = vctp16q((uint32_t)(p->channels - c));
  int8_t* to = j->strips + k * j->group_bytes + p->geometry.pad_left * depth;
  const int32_t before = j->group_bytes - 2;
  if (depth == 2 || k == 0) {
    scatter(r, channels, to, depth, planes);
  } else if (k == p->strips.groups) {
    scatter(r, channels, to - before, depth, planes);
  } else {
    scatter_twice(r, channels, to, before, planes);
  }
}

/* Blocks, the last one of a row, and which of a block's pixels there are. */
static void place_blocks(const job* j, tn_helium_strips_args* args) {
  const tn_helium_depthwise_strips_params* p = j->params;
  const int32_t pair = p->strips.pair, block = pair ? PAIR_COLUMNS : ROW_COLUMNS, width = j->params->output_w;
  const int32_t column = p->strips.depth * p->geometry.stride_w, rest = width < block ? 0 : width % block;
  args->blocks = width < block ? 1 : width / block;
  args->step = block * p->channels;
  args->back = rest == 0 ? 0 : (block - rest) * column;
  args->back_output = (block - rest) * p->channels;
  args->next = j->plane_bytes - (args->blocks * block * column + (rest == 0 ? 0 : block * column - args->back));
  args->lanes = 0;
  for (int32_t i = 0; i < block; ++i) {
    const int32_t lane = pair ? i : (i & 3) * 2 + (i >> 2);
    const uint32_t all = pair ? 0xFU : 0x3U, bits = pair ? 4 : 2;
    if (pair) {
      args->offsets.words[lane] = (uint32_t)(i * p->channels);
    } else {
      args->offsets.halves[lane] = (uint16_t)(i * p->channels);
    }
    if (i < width) args->lanes |= all << (bits * (uint32_t)lane);
  }
}

static void compute(const job* j) {
  const tn_helium_depthwise_strips_params* p = j->params;
  const int32_t passes = p->strips.pair ? (j->rows + 1) / 2 : j->rows;
  const int32_t pairs = passes + p->strips.steps - 1 + (p->strips.depth == 4 ? 1 : 0);
  int8_t* output[TN_HELIUM_STRIP_ROWS + 1];
  tn_helium_strips_args args = {.group_bytes = j->group_bytes,
                                .steps = p->strips.steps,
                                .zero_point = p->zero_point,
                                .low = p->low,
                                .high = p->high};
  place_blocks(j, &args);
  memset(j->strips, p->input_zero_point, (size_t)(CHANNELS * j->plane_bytes));
  const uint16x8_t planes = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)j->plane_bytes);
  for (int32_t c = 0; c < p->channels; c += CHANNELS) {
    for (int32_t k = 0; k < pairs; ++k) fill_pair(j, k, c, planes);
    for (int32_t r = 0; r < j->rows; ++r) output[r] = j->output[r] + c;
    output[j->rows] = output[j->rows - 1];
    const int32_t count = p->channels - c < CHANNELS ? p->channels - c : CHANNELS;
    args.data = j->strips;
    args.rows = output;
    args.stream = p->stream + c * p->channel_words;
    args.stream_end = args.stream + count * p->channel_words;
    args.passes = passes;
    p->kernel(&args);
  }
}

void tn_helium_depthwise_strips(const tn_step* step, const tn_helium_depthwise_strips_params* p) {
  const int32_t stride = p->geometry.stride_h, group_bytes = p->strips.columns * p->strips.depth;
  job j = {p, step->input, step->output, p->strips.rows, 0, group_bytes, p->strips.groups * group_bytes, step->scratch};
  for (int32_t r = 0; r < step->rows; r += j.rows) {
    j.rows = step->rows - r < p->strips.rows ? step->rows - r : p->strips.rows;
    j.input_rows = (j.rows - 1) * stride + p->geometry.kernel_h;
    j.input = step->input + r * stride;
    j.output = step->output + r;
    compute(&j);
  }
}
