/* RESIZE_BILINEAR in TensorFlow Lite's integer form: weights of 1/1024. */
#include "tinynas/move.h"

/* The four values around, the lower two weighted by `down`, the right two by `across`; rounded half away from zero. */
static int8_t blend(const int8_t* above, const int8_t* below, const int16_t* column, int32_t channels, int32_t down) {
  const int32_t left = column[0] * channels, right = column[1] * channels, across = column[2];
  const int64_t top =
      (int64_t)above[left] * (1024 - down) * (1024 - across) + (int64_t)above[right] * (1024 - down) * across;
  const int64_t bottom = (int64_t)below[left] * down * (1024 - across) + (int64_t)below[right] * down * across;
  const int64_t sum = top + bottom;
  const int64_t half = INT64_C(1) << 19;
  return (int8_t)((sum + (sum > 0 ? half : -half)) / (INT64_C(1) << 20));
}

void tn_resize_bilinear(const tn_step* step, const tn_resize_bilinear_params* params) {
  int8_t* out = step->output[0];
  for (int32_t y = 0; y < params->output_h; ++y) {
    const int16_t* row = params->row + 3 * y;
    const int8_t* above = step->input[0] + row[0] * params->input_row_bytes;
    const int8_t* below = step->input[0] + row[1] * params->input_row_bytes;
    for (int32_t x = 0; x < params->output_w; ++x) {
      for (int32_t c = 0; c < params->channels; ++c) {
        *out++ = blend(above + c, below + c, params->column + 3 * x, params->channels, row[2]);
      }
    }
  }
}
