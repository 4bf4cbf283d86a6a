/* Depthwise convolution by rows, nhwc. */
#include "matrix.h"

/* One window in the map: rows[ky] starts at the window's first column (NULL: a row of padding). */
typedef struct {
  const int8_t* const* rows;
  int32_t start;  /* column under the window's left edge, may be outside */
  int32_t inside; /* every tap lies in the map */
} window;

/* Four channels of a window that lies wholly inside. */
static void four_channels(const tn_depthwise_params* p, const window* w, int32_t c, int8_t* out) {
  const tn_geometry* g = &p->geometry;
  const int32_t channels = p->input_c, tap = g->dilation_w * channels;
  const int8_t* weight = p->weights + c;
  int32_t a0 = p->stage.bias[c], a1 = p->stage.bias[c + 1], a2 = p->stage.bias[c + 2], a3 = p->stage.bias[c + 3];
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* x = w->rows[ky * g->dilation_h] + w->start * channels + c;
    for (int32_t kx = g->kernel_w; kx > 0; --kx, x += tap, weight += channels) {
      a0 += x[0] * weight[0];
      a1 += x[1] * weight[1];
      a2 += x[2] * weight[2];
      a3 += x[3] * weight[3];
    }
  }
  out[c] = tn_finish(&p->stage, c, a0);
  out[c + 1] = tn_finish(&p->stage, c + 1, a1);
  out[c + 2] = tn_finish(&p->stage, c + 2, a2);
  out[c + 3] = tn_finish(&p->stage, c + 3, a3);
}

/* Any output channel of any window; padding counts as the zero point. */
static void one_channel(const tn_depthwise_params* p, const window* w, int32_t c, int8_t* out) {
  const tn_geometry* g = &p->geometry;
  const int32_t channels = p->input_c * p->channel_multiplier;
  const int32_t in_c = c / p->channel_multiplier;
  const int8_t* weight = p->weights + c;
  int32_t acc = p->stage.bias[c];
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* row = w->rows[ky * g->dilation_h];
    for (int32_t kx = 0; kx < g->kernel_w; ++kx, weight += channels) {
      const int32_t column = w->start + kx * g->dilation_w;
      const int is_padding = row == NULL || column < 0 || column >= g->input_w;
      acc += (is_padding ? p->input_zero_point : row[column * p->input_c + in_c]) * *weight;
    }
  }
  out[c] = tn_finish(&p->stage, c, acc);
}

void tn_depthwise(const tn_step* step, const tn_depthwise_params* params) {
  const tn_geometry* g = &params->geometry;
  const int32_t channels = params->input_c * params->channel_multiplier;
  const int32_t extent = (g->kernel_w - 1) * g->dilation_w + 1;
  for (int32_t r = 0; r < step->rows; ++r) {
    window w = {step->input + r * g->stride_h, 0, 0};
    int rows_inside = params->channel_multiplier == 1;
    for (int32_t ky = 0; ky < g->kernel_h; ++ky) rows_inside &= w.rows[ky * g->dilation_h] != NULL;
    for (int32_t x = step->x0; x < step->x1; ++x) {
      int8_t* out = step->output[r] + x * channels;
      int32_t c = 0;
      w.start = x * g->stride_w - g->pad_left;
      w.inside = rows_inside && w.start >= 0 && w.start + extent <= g->input_w;
      for (; w.inside && c + 4 <= channels; c += 4) four_channels(params, &w, c, out);
      for (; c < channels; ++c) one_channel(params, &w, c, out);
    }
  }
}
