/* Depthwise convolution by rows, nhwc. */
#include "finish.h"

/* The window under an output pixel: rows[ky * dilation] (NULL: a row of padding), taps from column `start` on. */
typedef struct {
  const int8_t* const* rows;
  int32_t start;
} window;

/* The pixel under tap (ky, kx), NULL where that is padding. */
static inline const int8_t* pixel_under(const tn_depthwise_params* p, const window* w, int32_t ky, int32_t kx) {
  const tn_geometry* g = &p->geometry;
  const int8_t* row = w->rows[ky * g->dilation_h];
  const int32_t column = w->start + kx * g->dilation_w;
  if (row == NULL || column < 0 || column >= g->input_w) return NULL;
  return row + column * p->input_c;
}

/* Four channels; padding counts as the zero point. */
static void four_channels(const tn_depthwise_params* p, const window* w, int32_t c, int8_t* out) {
  const tn_geometry* g = &p->geometry;
  const int32_t channels = p->input_c, zero = p->input_zero_point, width = g->input_w, step = g->dilation_w;
  const int8_t* weight = p->weights + c;
  int32_t sums[4];
  int32_t a0 = p->stage.bias[c], a1 = p->stage.bias[c + 1], a2 = p->stage.bias[c + 2], a3 = p->stage.bias[c + 3];
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* row = w->rows[ky * g->dilation_h];
    int32_t column = w->start;
    for (int32_t kx = g->kernel_w; kx > 0; --kx, column += step, weight += channels) {
      if (row != NULL && (uint32_t)column < (uint32_t)width) {
        const int8_t* x = row + column * channels + c;
        a0 += x[0] * weight[0];
        a1 += x[1] * weight[1];
        a2 += x[2] * weight[2];
        a3 += x[3] * weight[3];
      } else {
        a0 += zero * weight[0];
        a1 += zero * weight[1];
        a2 += zero * weight[2];
        a3 += zero * weight[3];
      }
    }
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  tn_finish_channels(&p->stage, c, 4, sums, out + c);
}

/* Any output channel. */
static void one_channel(const tn_depthwise_params* p, const window* w, int32_t c, int8_t* out) {
  const int32_t channels = p->input_c * p->channel_multiplier;
  const int32_t in_c = c / p->channel_multiplier;
  const int8_t* weight = p->weights + c;
  int32_t acc = p->stage.bias[c];
  for (int32_t ky = 0; ky < p->geometry.kernel_h; ++ky) {
    for (int32_t kx = 0; kx < p->geometry.kernel_w; ++kx, weight += channels) {
      const int8_t* pixel = pixel_under(p, w, ky, kx);
      acc += (pixel == NULL ? p->input_zero_point : pixel[in_c]) * *weight;
    }
  }
  out[c] = tn_finish(&p->stage, c, acc);
}

void tn_depthwise(const tn_step* step, const tn_depthwise_params* params) {
  const int32_t channels = params->input_c * params->channel_multiplier;
  for (int32_t r = 0; r < step->rows; ++r) {
    window w = {step->input + r * params->geometry.stride_h, 0};
    for (int32_t x = step->x0; x < step->x1; ++x) {
      int8_t* out = step->output[r] + x * channels;
      int32_t c = 0;
      w.start = x * params->geometry.stride_w - params->geometry.pad_left;
      for (; params->channel_multiplier == 1 && c + 4 <= channels; c += 4) four_channels(params, &w, c, out);
      for (; c < channels; ++c) one_channel(params, &w, c, out);
    }
  }
}
