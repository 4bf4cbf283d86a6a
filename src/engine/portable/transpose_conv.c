/* Transposed convolution: each output row gathered from the input rows that reach it. */
#include "finish.h"

/* acc[x][co] += the input row's contribution through weight row ky. */
static void add_row(const tn_transpose_conv_params* p, const int8_t* row, int32_t ky, int32_t* acc) {
  const tn_geometry* g = &p->geometry;
  for (int32_t ix = 0; ix < g->input_w; ++ix) {
    for (int32_t kx = 0; kx < g->kernel_w; ++kx) {
      const int32_t ox = ix * g->stride_w + kx - g->pad_left;
      if (ox < 0 || ox >= p->output_w) continue;
      for (int32_t co = 0; co < p->output_c; ++co) {
        const int8_t* weight = p->weights + ((co * g->kernel_h + ky) * g->kernel_w + kx) * p->input_c;
        const int8_t* x = row + ix * p->input_c;
        int32_t sum = 0;
        for (int32_t i = 0; i < p->input_c; ++i) sum += (x[i] - p->input_zero_point) * weight[i];
        acc[ox * p->output_c + co] += sum;
      }
    }
  }
}

void tn_transpose_conv(const tn_step* step, const tn_transpose_conv_params* params) {
  const tn_geometry* g = &params->geometry;
  const int32_t values = params->output_w * params->output_c, row_bytes = g->input_w * params->input_c;
  int32_t* acc = (int32_t*)step->scratch;
  int8_t* out = step->output[0];
  for (int32_t y = 0; y < params->output_h; ++y, out += values) {
    const int32_t reach = y + params->pad_top; /* input row * stride + ky == reach */
    for (int32_t i = 0; i < values; ++i) acc[i] = params->stage.bias[i % params->output_c];
    for (int32_t ky = reach % g->stride_h; ky < g->kernel_h && ky <= reach; ky += g->stride_h) {
      const int32_t row = (reach - ky) / g->stride_h;
      if (row < params->input_h) add_row(params, step->input[0] + row * row_bytes, ky, acc);
    }
    for (int32_t i = 0; i < values; ++i) out[i] = tn_finish(&params->stage, i % params->output_c, acc[i]);
  }
}
