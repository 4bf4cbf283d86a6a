/* Operators that only move values. */
#include "tinynas/move.h"

#include <string.h>

void tn_copy(const tn_step* step, const tn_copy_params* params) {
  const int32_t start = step->x0 * params->pixel_bytes;
  const size_t bytes = (size_t)((step->x1 - step->x0) * params->pixel_bytes);
  for (int32_t r = 0; r < step->rows; ++r) {
    if (step->output[r] != step->input[r]) memmove(step->output[r] + start, step->input[r] + start, bytes);
  }
}

void tn_concat(const tn_step* step, const tn_concat_params* params) {
  for (int32_t r = 0; r < step->rows; ++r) {
    const int8_t* in = step->input[r] + step->x0 * params->input_bytes;
    int8_t* out = step->output[r] + step->x0 * params->output_bytes + params->offset;
    for (int32_t x = step->x0; x < step->x1; ++x) {
      memcpy(out, in, (size_t)params->input_bytes);
      in += params->input_bytes;
      out += params->output_bytes;
    }
  }
}

void tn_pad(const tn_step* step, const tn_pad_params* params) {
  const size_t row_bytes = (size_t)((step->x1 - step->x0) * params->output_c);
  for (int32_t r = 0; r < step->rows; ++r) {
    memset(step->output[r] + step->x0 * params->output_c, (int)params->value, row_bytes);
    if (step->input[r] == NULL) continue;
    for (int32_t x = step->x0; x < step->x1; ++x) {
      const int32_t from = x - params->left;
      if (from < 0 || from >= params->input_w) continue;
      memcpy(step->output[r] + x * params->output_c + params->front, step->input[r] + from * params->input_c,
             (size_t)params->input_c);
    }
  }
}

void tn_resize_nearest(const tn_step* step, const tn_resize_nearest_params* params) {
  const size_t bytes = (size_t)params->pixel_bytes;
  int8_t* out = step->output[0];
  for (int32_t y = 0; y < params->output_h; ++y) {
    const int8_t* in = step->input[0] + params->row[y] * params->input_row_bytes;
    for (int32_t x = 0; x < params->output_w; ++x, out += bytes)
      memcpy(out, in + params->column[x] * params->pixel_bytes, bytes);
  }
}

void tn_transpose(const tn_step* step, const tn_transpose_params* params) {
  const int32_t* d = params->dims;
  const int32_t* s = params->input_strides;
  const size_t bytes = (size_t)params->element_bytes;
  const int8_t* in = step->input[0];
  int8_t* out = step->output[0];
  for (int32_t a = 0; a < d[0]; ++a) {
    for (int32_t b = 0; b < d[1]; ++b) {
      for (int32_t c = 0; c < d[2]; ++c) {
        for (int32_t e = 0; e < d[3]; ++e) {
          const int8_t* from = in + a * s[0] + b * s[1] + c * s[2] + e * s[3];
          for (int32_t f = 0; f < d[4]; ++f, from += s[4], out += bytes) {
            if (bytes == 1) {
              *out = *from;
            } else {
              memcpy(out, from, bytes);
            }
          }
        }
      }
    }
  }
}

void tn_fill(void* destination, int32_t value, int32_t bytes) { memset(destination, (int)value, (size_t)bytes); }
