/* Depthwise: four channels in the lanes, four output pixels that share each tap's weights. */
#include "requantize.h"
#include "tinynas/helium.h"

enum { PIXELS = 4 };

/* Columns of the window of output x that lie in the map: [from, to). */
typedef struct {
  int32_t first; /* input column of the window's column 0 */
  int32_t from, to;
} span;

static span span_of(const tn_geometry* g, int32_t x) {
  span s = {x * g->stride_w - g->pad_left, 0, g->kernel_w};
  while (s.from < s.to && s.first + s.from * g->dilation_w < 0) ++s.from;
  while (s.to > s.from && s.first + (s.to - 1) * g->dilation_w >= g->input_w) --s.to;
  return s;
}

static inline void store(const tn_helium_depthwise_params* p, int32_t c, mve_pred16_t lanes, int32x4_t acc, int8_t* output) {
  const int32_t* constants = p->constants + c;
  const int32x4_t multiplier = vldrwq_z_s32(constants + p->channels, lanes);
  acc = vshlq_s32(acc, vldrwq_z_s32(constants + 2 * p->channels, lanes));
  acc = tn_round_right(vqrdmulhq_s32(acc, multiplier), vldrwq_z_s32(constants + 3 * p->channels, lanes));
  vstrbq_p_s32(output + c, tn_saturate(acc, p->zero_point, p->low, p->high), lanes);
}

/* Four channels of one pixel; taps outside the map count the zero point. */
static void edge(const tn_helium_depthwise_params* p, const int8_t* const* rows, int32_t x, int32_t c, mve_pred16_t lanes,
                 int8_t* output) {
  const tn_geometry* g = &p->geometry;
  const span s = span_of(g, x);
  int32x4_t acc = vldrwq_z_s32(p->constants + c, lanes);
  const int8_t* w = p->weights + c;
  for (int32_t i = 0; i < g->kernel_h; ++i) {
    const int8_t* row = rows[i * g->dilation_h];
    for (int32_t j = 0; j < g->kernel_w; ++j, w += p->channels) {
      const int32x4_t weight = vldrbq_z_s32(w, lanes);
      if (row != NULL && j >= s.from && j < s.to) {
        acc = vaddq_s32(acc, vmulq_s32(weight, vldrbq_z_s32(row + (s.first + j * g->dilation_w) * p->channels + c, lanes)));
      } else {
        acc = vaddq_s32(acc, vmulq_n_s32(weight, p->input_zero_point));
      }
    }
  }
  store(p, c, lanes, acc, output);
}

/* Four channels of four pixels whose columns all lie in the map. */
static void inner(const tn_helium_depthwise_params* p, const int8_t* const* rows, int32_t x, int32_t c, mve_pred16_t lanes,
                  int8_t* output) {
  const tn_geometry* g = &p->geometry;
  const int32_t channels = p->channels, pixel = g->stride_w * channels, tap = g->dilation_w * channels;
  const int32_t first = (x * g->stride_w - g->pad_left) * channels + c;
  int32x4_t a0 = vldrwq_z_s32(p->constants + c, lanes), a1 = a0, a2 = a0, a3 = a0;
  const int8_t* w = p->weights + c;
  for (int32_t i = 0; i < g->kernel_h; ++i) {
    const int8_t* row = rows[i * g->dilation_h];
    if (row == NULL) {
      for (int32_t j = 0; j < g->kernel_w; ++j, w += channels) {
        const int32x4_t padding = vmulq_n_s32(vldrbq_z_s32(w, lanes), p->input_zero_point);
        a0 = vaddq_s32(a0, padding);
        a1 = vaddq_s32(a1, padding);
        a2 = vaddq_s32(a2, padding);
        a3 = vaddq_s32(a3, padding);
      }
      continue;
    }
    const int8_t* from = row + first;
    for (int32_t j = 0; j < g->kernel_w; ++j, w += channels, from += tap) {
      const int32x4_t weight = vldrbq_z_s32(w, lanes);
      a0 = vaddq_s32(a0, vmulq_s32(weight, vldrbq_z_s32(from, lanes)));
      a1 = vaddq_s32(a1, vmulq_s32(weight, vldrbq_z_s32(from + pixel, lanes)));
      a2 = vaddq_s32(a2, vmulq_s32(weight, vldrbq_z_s32(from + 2 * pixel, lanes)));
      a3 = vaddq_s32(a3, vmulq_s32(weight, vldrbq_z_s32(from + 3 * pixel, lanes)));
    }
  }
  store(p, c, lanes, a0, output);
  store(p, c, lanes, a1, output + channels);
  store(p, c, lanes, a2, output + 2 * channels);
  store(p, c, lanes, a3, output + 3 * channels);
}

static int inside(const tn_geometry* g, int32_t x) {
  const span s = span_of(g, x);
  return s.from == 0 && s.to == g->kernel_w;
}

void tn_helium_depthwise(const tn_step* step, const tn_helium_depthwise_params* p) {
  const tn_geometry* g = &p->geometry;
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t* const* rows = step->input + r * g->stride_h;
    for (int32_t x = step->x0; x < step->x1;) {
      const int together = x + PIXELS <= step->x1 && inside(g, x) && inside(g, x + PIXELS - 1);
      int8_t* output = step->output[r] + x * p->channels;
      for (int32_t c = 0; c < p->channels; c += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(p->channels - c));
        if (together) {
          inner(p, rows, x, c, lanes, output);
        } else {
          edge(p, rows, x, c, lanes, output);
        }
      }
      x += together ? PIXELS : 1;
    }
  }
}
