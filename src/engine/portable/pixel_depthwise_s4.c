/* Depthwise convolution of one output pixel from pointers to its taps, with values of 4 bits. */
#include "finish.h"
#include "tinynas/packed.h"
#include "values.h"

static inline void run(const tn_step* step, const tn_depthwise_s4_params* params, int32_t in_bits, int32_t weight_bits) {
  const tn_depthwise_params* p = &params->depthwise;
  const int32_t channels = p->input_c * p->channel_multiplier, taps = p->geometry.kernel_h * p->geometry.kernel_w;
  tn_pad_row(step->output[0], channels, params->bits.output);
  for (int32_t c = 0; c < channels; ++c) {
    const int32_t in_c = c / p->channel_multiplier;
    int32_t acc = p->stage.bias[c];
    for (int32_t t = 0, w = c; t < taps; ++t, w += channels) {
      acc += tn_load(step->input[t], in_c, in_bits) * tn_load(p->weights, w, weight_bits);
    }
    tn_store(step->output[0], c, tn_finish(&p->stage, c, acc), params->bits.output);
  }
}

void tn_depthwise_pixel_s4(const tn_step* step, const tn_depthwise_s4_params* params) {
  if (params->bits.input == 8) {
    run(step, params, 8, params->bits.weights);
  } else {
    run(step, params, 4, params->bits.weights);
  }
}
