/* Depthwise convolution of a whole map over its own input: each channel's plane is copied out, with its padding, and the
 * results written back from the start of the tensor. Output value i of a channel lands on input value i of the same channel,
 * which the copy has saved. */
#include <string.h>

#include "finish.h"

static void copy_plane(const tn_depthwise_in_place_params* p, const int8_t* map, int8_t* plane) {
  const tn_geometry* g = &p->depthwise.geometry;
  const int32_t channels = p->depthwise.input_c;
  const int32_t width = g->pad_left + g->input_w + p->pad_right;
  memset(plane, p->depthwise.input_zero_point, (size_t)((p->pad_top + p->input_h + p->pad_bottom) * width));
  plane += p->pad_top * width + g->pad_left;
  for (int32_t y = 0; y < p->input_h; ++y, plane += width) {
    for (int32_t x = 0; x < g->input_w; ++x, map += channels) plane[x] = *map;
  }
}

static int32_t window_sum(const tn_depthwise_params* p, const int8_t* plane, int32_t width, int32_t c) {
  const tn_geometry* g = &p->geometry;
  const int8_t* weight = p->weights + c;
  int32_t acc = p->stage.bias[c];
  for (int32_t ky = 0; ky < g->kernel_h; ++ky) {
    const int8_t* x = plane + ky * g->dilation_h * width;
    for (int32_t kx = g->kernel_w; kx > 0; --kx, x += g->dilation_w, weight += p->input_c) acc += *x * *weight;
  }
  return acc;
}

void tn_depthwise_in_place(const tn_step* step, const tn_depthwise_in_place_params* params) {
  const tn_depthwise_params* p = &params->depthwise;
  const tn_geometry* g = &p->geometry;
  const int32_t width = g->pad_left + g->input_w + params->pad_right;
  int8_t* plane = (int8_t*)step->scratch;
  for (int32_t c = 0; c < p->input_c; ++c) {
    int8_t* out = step->output[0] + c;
    copy_plane(params, step->input[0] + c, plane);
    for (int32_t y = 0; y < params->output_h; ++y) {
      const int8_t* row = plane + y * g->stride_h * width;
      for (int32_t x = 0; x < params->output_w; ++x, row += g->stride_w, out += p->input_c) {
        *out = tn_finish(&p->stage, c, window_sum(p, row, width, c));
      }
    }
  }
}
