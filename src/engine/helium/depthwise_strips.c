/* Depthwise over strips: eight channels at a time brought from the input rows into planes, then computed channel by channel.
 */
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
  int8_t padding[CHANNELS]; /* a column of it */
} job;

/* Input rows 2 k and 2 k + 1 of channels [c, c + 8) into their row group: in groups of four the first two rows of group k
 * and the last two of the one before. */
static void fill_pair(const job* j, int32_t k, int32_t c) {
  const tn_helium_depthwise_strips_params* p = j->params;
  const int8_t* even = 2 * k < j->input_rows ? j->input[2 * k] : NULL;
  const int8_t* odd = 2 * k + 1 < j->input_rows ? j->input[2 * k + 1] : NULL;
  if (even == NULL && odd == NULL) return;
  const int32_t room = p->strips.columns - p->geometry.pad_left, depth = p->strips.depth;
  tn_helium_unpack_args args = {even != NULL ? even + c : j->padding,
                                odd != NULL ? odd + c : j->padding,
                                even != NULL ? p->channels : 0,
                                odd != NULL ? p->channels : 0,
                                j->strips + k * j->group_bytes + p->geometry.pad_left * depth,
                                depth,
                                p->geometry.input_w < room ? p->geometry.input_w : room,
                                0,
                                j->plane_bytes,
                                p->channels - c};
  if (depth == 4 && k > 0) {
    args.planes -= j->group_bytes - 2;
    if (k < p->strips.groups) args.other = j->group_bytes - 2;
  }
  tn_helium_unpack(&args);
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
  tn_helium_strips_args args; /* field by field: no call of memset */
  args.group_bytes = j->group_bytes;
  args.steps = p->strips.steps;
  args.zero_point = p->zero_point;
  args.low = p->low;
  args.high = p->high;
  place_blocks(j, &args);
  tn_helium_fill(j->strips, p->input_zero_point, CHANNELS * j->plane_bytes);
  for (int32_t c = 0; c < p->channels; c += CHANNELS) {
    for (int32_t k = 0; k < pairs; ++k) fill_pair(j, k, c);
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
  job j;
  j.params = p;
  j.group_bytes = group_bytes;
  j.plane_bytes = p->strips.groups * group_bytes;
  j.strips = step->scratch;
  tn_helium_fill(j.padding, p->input_zero_point, sizeof j.padding);
  for (int32_t r = 0; r < step->rows; r += p->strips.rows) {
    j.rows = step->rows - r < p->strips.rows ? step->rows - r : p->strips.rows;
    j.input_rows = (j.rows - 1) * stride + p->geometry.kernel_h;
    j.input = step->input + r * stride;
    j.output = step->output + r;
    compute(&j);
  }
}
