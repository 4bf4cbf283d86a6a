/* Matrix times pixels: whole blocks of four, then what is left with its last pixel repeated. */
#include "tinynas/helium.h"

enum { PIXELS = 4, LANES = 16 };

/* Four pixels from `input` on; from number `count` on, the last one again. */
static void place(tn_helium_block_args* args, const int8_t* input, int32_t stride, int32_t output_c, int32_t count) {
  for (int32_t i = 0; i < PIXELS; ++i) {
    const int32_t pixel = i < count ? i : count - 1;
    args->pixel[i] = input + pixel * stride;
    args->offsets[2 * i] = (uint16_t)(pixel * output_c);
    args->offsets[2 * i + 1] = (uint16_t)(pixel * output_c + 1);
  }
}

int32_t tn_helium_joined(const int8_t* const* rows, int32_t count, int32_t bytes) {
  int32_t joined = 1;
  while (joined < count && rows[joined] == rows[joined - 1] + bytes) ++joined;
  return joined;
}

void tn_helium_multiply(const tn_helium_matrix* m, const int8_t* input, int32_t stride, int32_t pixels, int8_t* output) {
  const int32_t blocks = pixels / PIXELS, rest = pixels % PIXELS;
  const int32_t steps = (m->length + LANES - 1) / LANES;
  tn_helium_block_args args; /* field by field: no call of memset */
  args.stream = m->stream;
  args.output = output;
  args.blocks = blocks;
  args.input_bytes = PIXELS * stride;
  args.output_bytes = PIXELS * m->output_c;
  args.steps = steps;
  args.last = m->length - LANES * (steps - 1);
  args.zero_point = m->zero_point;
  args.low = m->low;
  args.high = m->high;
  if (blocks > 0) {
    place(&args, input, stride, m->output_c, PIXELS);
    m->kernel(&args);
  }
  if (rest > 0) {
    place(&args, input + PIXELS * blocks * stride, stride, m->output_c, rest);
    args.blocks = 1;
    m->kernel(&args);
  }
}
