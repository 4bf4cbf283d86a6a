/* RESIZE_BILINEAR in TensorFlow Lite's integer form: weights of 1/1024. */
#include "tinynas/move.h"

static int8_t blend(const tn_resize_bilinear_params* p, const int8_t* above, const int8_t* below, int32_t x, int32_t down) {
  const int32_t left = p->left[x] * p->channels, right = p->right[x] * p->channels;
  const int32_t across = p->column_weight[x];
  const int64_t top =
      (int64_t)above[left] * (1024 - down) * (1024 - across) + (int64_t)above[right] * (1024 - down) * across;
  const int64_t bottom = (int64_t)below[left] * down * (1024 - across) + (int64_t)below[right] * down * across;
  const int64_t sum = top + bottom;
  const int64_t half = INT64_C(1) << 19;
  return (int8_t)((sum + (sum > 0 ? half : -half)) / (INT64_C(1) << 20));
}

void tn_resize_bilinear(const tn_step* step, const tn_resize_bilinear_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    const int32_t down = params->row_weight[step->y + r];
    for (int32_t x = step->x0; x < step->x1; ++x) {
      for (int32_t c = 0; c < params->channels; ++c) {
        step->output[r][x * params->channels + c] =
            blend(params, step->input[2 * r] + c, step->input[2 * r + 1] + c, x, down);
      }
    }
  }
}
