/* ADD with values of 4 bits: some values at a time as int8. */
#include "add.h"
#include "tinynas/packed.h"
#include "values.h"

enum { CHUNK = 32 };

/* `count` values from `at` on, or only the first where all are that one. */
static const int8_t* widen(const int8_t* row, int32_t at, int32_t count, int32_t step, int32_t bits, int8_t* room) {
  if (bits == 8) return row + at;
  tn_unpack(row, at, step == 0 ? 1 : count, room);
  return room;
}

/* Channels [c, c + count) of column x. */
static void add_chunk(const tn_step* step, const tn_add_s4_params* params, int32_t r, int32_t x, int32_t c, int32_t count) {
  const tn_add_params* p = &params->add;
  const tn_operand *a = &p->first, *b = &p->second;
  int8_t first[CHUNK], second[CHUNK], sums[CHUNK];
  const int8_t* left = widen(step->input[r], x * a->pixel_stride + c * a->channel_stride, count, a->channel_stride,
                             params->bits.input, first);
  const int8_t* right = widen(step->second[r], x * b->pixel_stride + c * b->channel_stride, count, b->channel_stride,
                              params->bits.weights, second);
  tn_add_run(p, left, right, count, sums);
  for (int32_t i = 0; i < count; ++i) tn_store(step->output[r], x * p->channels + c + i, sums[i], params->bits.output);
}

void tn_add_s4(const tn_step* step, const tn_add_s4_params* params) {
  const int32_t channels = params->add.channels;
  for (int32_t r = 0; r < step->rows; ++r) {
    tn_pad_row(step->output[r], step->x1 * channels, params->bits.output);
    for (int32_t x = step->x0; x < step->x1; ++x) {
      for (int32_t c = 0; c < channels; c += CHUNK) {
        add_chunk(step, params, r, x, c, channels - c < CHUNK ? channels - c : CHUNK);
      }
    }
  }
}
