/* Depthwise convolution by lists of taps: where the window's values lie, for two pixels at a time. */
#include <string.h>

#include "tinynas/requantize.h"
#include "tinynas/scratch.h"
#include "tinynas/thumb2.h"

typedef const int8_t* tap_pair[2];

/* Taps of the pixel in column x, whose window's rows are `rows`, to list[..][side]. Padding reads `padding`. */
static void list_taps(const tn_depthwise_params* p, const int8_t* const* rows, int32_t x, const int8_t* padding,
                      int32_t side, tap_pair* list) {
  const tn_geometry* g = &p->geometry;
  const int32_t start = x * g->stride_w - g->pad_left, pitch = g->dilation_w * p->input_c;
  const int32_t width = g->input_w, dilation = g->dilation_w, kernel_w = g->kernel_w;
  const int inside = start >= 0 && start + (kernel_w - 1) * dilation < width;
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* row = rows[ky * g->dilation_h];
    const int8_t* at = row == NULL ? padding : row + start * p->input_c;
    if (row == NULL) {
      for (int32_t kx = kernel_w; kx > 0; --kx) (*list++)[side] = padding;
    } else if (inside) {
      for (int32_t kx = kernel_w; kx > 0; --kx, at += pitch) (*list++)[side] = at;
    } else {
      for (int32_t kx = kernel_w, column = start; kx > 0; --kx, at += pitch, column += dilation) {
        (*list++)[side] = (uint32_t)column < (uint32_t)width ? at : padding;
      }
    }
  }
}

/* The channels behind the last block of four; the taps have come to them. */
static void finish_rest(const tn_depthwise_params* p, const tn_thumb2_taps* taps, int32_t pixels) {
  const int32_t first = p->input_c & ~3, count = p->input_c - first;
  const int8_t* weights = p->weights + first * taps->depth;
  for (int32_t i = 0; i < pixels; ++i) {
    for (int32_t c = 0; c < count; ++c) {
      int32_t acc = p->stage.bias[first + c];
      for (int32_t t = 0; t < taps->depth; ++t) acc += taps->list[t][i][c] * weights[t * count + c];
      const int32_t value = tn_requantize(acc, p->stage.multiplier[first + c], p->stage.shift[first + c]);
      taps->output[i][first + c] = (int8_t)tn_clamp(value + p->stage.zero_point, -128, 127);
    }
  }
}

void tn_thumb2_depthwise(const tn_step* step, const tn_depthwise_params* params) {
  const int32_t channels = params->input_c, depth = params->geometry.kernel_h * params->geometry.kernel_w;
  tap_pair* list = step->scratch;
  int8_t* padding = (int8_t*)(list + depth);
  memset(padding, params->input_zero_point, (size_t)channels);
  tn_thumb2_taps taps = {.list = list,
                         .end = list + depth,
                         .weights = params->weights,
                         .bias = params->stage.bias,
                         .multiplier = params->stage.multiplier,
                         .shift = params->stage.shift,
                         .zero_point = params->stage.zero_point,
                         .depth = depth,
                         .blocks = channels / 4};
  int32_t row = 0, x = step->x0;
  for (int32_t left = step->rows * (step->x1 - step->x0); left > 0; left -= 2) {
    const int32_t pixels = left < 2 ? 1 : 2;
    for (int32_t i = 0; i < 2; ++i) { /* a last single pixel is computed twice */
      list_taps(params, step->input + row * params->geometry.stride_h, x, padding, i, list);
      taps.output[i] = step->output[row] + x * channels;
      if (i + 1 == pixels || i == 1) continue;
      if (++x == step->x1) {
        x = step->x0;
        ++row;
      }
    }
    tn_thumb2_tap_blocks(&taps);
    finish_rest(params, &taps, pixels);
    if (++x == step->x1) {
      x = step->x0;
      ++row;
    }
  }
}
