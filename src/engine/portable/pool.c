/* Average and maximum over a window; values outside the map do not count. */
#include "tinynas/requantize.h"
#include "tinynas/window.h"

/* Columns of the window at output column x that lie inside: taps [first, last). */
typedef struct {
  int32_t start, first, last;
} tap_range;

static tap_range taps_inside(const tn_geometry* g, int32_t x) {
  tap_range t = {x * g->stride_w - g->pad_left, 0, g->kernel_w};
  if (t.start < 0) t.first = -t.start;
  if (t.start + t.last > g->input_w) t.last = g->input_w - t.start;
  return t;
}

/* Sum or maximum of channel c over the window's values; *count becomes how many they are. */
static int32_t reduce(const tn_pool_params* p, const int8_t* const* rows, tap_range t, int32_t c, int is_sum,
                      int32_t* count) {
  int32_t result = is_sum ? 0 : -128;
  *count = 0;
  for (int32_t ky = 0; ky < p->geometry.kernel_h; ++ky) {
    const int8_t* row = rows[ky];
    if (row == NULL) continue;
    const int8_t* x = row + (t.start + t.first) * p->channels + c;
    for (int32_t kx = t.first; kx < t.last; ++kx, x += p->channels) {
      if (is_sum) {
        result += *x;
      } else if (*x > result) {
        result = *x;
      }
      ++*count;
    }
  }
  return result;
}

void tn_average_pool(const tn_step* step, const tn_pool_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; ++x) {
      const tap_range t = taps_inside(&params->geometry, x);
      for (int32_t c = 0; c < params->channels; ++c) {
        int32_t count = 0;
        const int32_t sum = reduce(params, step->input + r * params->geometry.stride_h, t, c, 1, &count);
        const int32_t mean = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
        step->output[r][x * params->channels + c] = (int8_t)tn_clamp(mean, params->low, params->high);
      }
    }
  }
}

void tn_max_pool(const tn_step* step, const tn_pool_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    for (int32_t x = step->x0; x < step->x1; ++x) {
      const tap_range t = taps_inside(&params->geometry, x);
      for (int32_t c = 0; c < params->channels; ++c) {
        int32_t count = 0;
        const int32_t most = reduce(params, step->input + r * params->geometry.stride_h, t, c, 0, &count);
        step->output[r][x * params->channels + c] = (int8_t)tn_clamp(most, params->low, params->high);
      }
    }
  }
}
