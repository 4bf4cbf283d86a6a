/* Depthwise convolution of one output pixel from pointers to its taps. */
#include "finish.h"
#include "tinynas/pixels.h"

/* Four channels of the output, each reading its own channel of the input. */
static void four_channels(const tn_step* step, const tn_depthwise_params* p, int32_t c) {
  const int8_t* weight = p->weights + c;
  int32_t sums[4];
  int32_t a0 = p->stage.bias[c], a1 = p->stage.bias[c + 1], a2 = p->stage.bias[c + 2], a3 = p->stage.bias[c + 3];
  const int8_t* const* tap = step->input;
  for (int32_t taps = p->geometry.kernel_h * p->geometry.kernel_w; taps > 0; --taps, weight += p->input_c) {
    const int8_t* x = *tap++ + c;
    a0 += x[0] * weight[0];
    a1 += x[1] * weight[1];
    a2 += x[2] * weight[2];
    a3 += x[3] * weight[3];
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  tn_finish_channels(&p->stage, c, 4, sums, step->output[0] + c);
}

static void one_channel(const tn_step* step, const tn_depthwise_params* p, int32_t c) {
  const int32_t channels = p->input_c * p->channel_multiplier, in_c = c / p->channel_multiplier;
  const int32_t taps = p->geometry.kernel_h * p->geometry.kernel_w;
  int32_t acc = p->stage.bias[c];
  for (int32_t t = 0; t < taps; ++t) acc += step->input[t][in_c] * p->weights[t * channels + c];
  step->output[0][c] = tn_finish(&p->stage, c, acc);
}

void tn_depthwise_pixel(const tn_step* step, const tn_depthwise_params* params) {
  const int32_t channels = params->input_c * params->channel_multiplier;
  int32_t c = 0;
  for (; params->channel_multiplier == 1 && c + 4 <= channels; c += 4) four_channels(step, params, c);
  for (; c < channels; ++c) one_channel(step, params, c);
}
