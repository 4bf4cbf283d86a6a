/* ADD of two maps of one shape by the linear form of dsp/add.S. */
#include "for_size.h"
#include "tinynas/dsp.h"

static int8_t add_value(int32_t first, int32_t second, const int32_t* constants) {
  const int32_t a = (int32_t)(((int64_t)constants[0] * first) >> 8), b = (int32_t)(((int64_t)constants[1] * second) >> 8);
  const int32_t y = (a + b + constants[2]) >> 21;
  return (int8_t)(y < -128 ? -128 : (y > 127 ? 127 : y));
}

TN_FOR_SIZE void tn_dsp_add(const tn_step* step, const tn_dsp_add_params* params) {
  const int32_t begin = step->x0 * params->channels, count = step->x1 * params->channels - begin;
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t *first = step->input[r] + begin, *second = step->second[r] + begin;
    int8_t* output = step->output[r] + begin;
    if (count >= 4) tn_dsp_add_words(first, second, output, count >> 2, params->constants);
    for (int32_t i = count & ~3; i < count; ++i) output[i] = add_value(first[i], second[i], params->constants);
  }
}
