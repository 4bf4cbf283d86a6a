/* Depthwise convolution by rows with values of 4 bits. */
#include "finish.h"
#include "tinynas/packed.h"
#include "values.h"

/* Channels whose sums run together: a tap is looked up once for all of them. */
#define CHANNELS 8

/* Adds the products of the tap whose pixel starts at value `at` (-1: padding) of `row`, input channels from `first` on. */
static inline void add_tap(const tn_depthwise_params* p, const int8_t* row, int32_t at, int32_t weight, int32_t count,
                           int32_t in_bits, int32_t weight_bits, int32_t* sums) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t x = at < 0 ? p->input_zero_point : tn_load(row, at + i, in_bits);
    sums[i] += x * tn_load(p->weights, weight + i, weight_bits);
  }
}

/* Output channels [c, c + count); one input channel each when channel_multiplier is 1, else count is 1. */
static inline void channels_of_pixel(const tn_depthwise_params* p, const int8_t* const* rows, int32_t start, int32_t c,
                                     int32_t count, int32_t in_bits, int32_t weight_bits, int8_t* values) {
  const tn_geometry* g = &p->geometry;
  const int32_t channels = p->input_c * p->channel_multiplier, first = c / p->channel_multiplier;
  int32_t sums[CHANNELS], weight = c;
  for (int32_t i = 0; i < count; ++i) sums[i] = p->stage.bias[c + i];
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* row = rows[ky * g->dilation_h];
    for (int32_t kx = 0; kx < g->kernel_w; ++kx, weight += channels) {
      const int32_t column = start + kx * g->dilation_w;
      const int inside = row != NULL && column >= 0 && column < g->input_w;
      add_tap(p, row, inside ? column * p->input_c + first : -1, weight, count, in_bits, weight_bits, sums);
    }
  }
  tn_finish_channels(&p->stage, c, count, sums, values);
}

static inline void run(const tn_step* step, const tn_depthwise_s4_params* params, int32_t in_bits, int32_t weight_bits) {
  const tn_depthwise_params* p = &params->depthwise;
  const int32_t channels = p->input_c * p->channel_multiplier, most = p->channel_multiplier == 1 ? CHANNELS : 1;
  int8_t values[CHANNELS];
  for (int32_t r = 0; r < step->rows; ++r) {
    tn_pad_row(step->output[r], step->x1 * channels, params->bits.output);
    for (int32_t x = step->x0; x < step->x1; ++x) {
      for (int32_t c = 0; c < channels; c += most) {
        const int32_t count = channels - c < most ? channels - c : most;
        channels_of_pixel(p, step->input + r * p->geometry.stride_h, x * p->geometry.stride_w - p->geometry.pad_left, c,
                          count, in_bits, weight_bits, values);
        for (int32_t i = 0; i < count; ++i) tn_store(step->output[r], x * channels + c + i, values[i], params->bits.output);
      }
    }
  }
}

void tn_depthwise_s4(const tn_step* step, const tn_depthwise_s4_params* params) {
  if (params->bits.input == 8 && params->bits.weights == 8) {
    run(step, params, 8, 8);
  } else if (params->bits.input == 8) {
    run(step, params, 8, 4);
  } else {
    run(step, params, 4, params->bits.weights);
  }
}
