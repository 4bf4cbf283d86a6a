/* Depthwise convolution 3 x 3, stride 2, of planar rows where they lie. */
#include <string.h>

#include "for_size.h"
#include "tinynas/dsp.h"

TN_FOR_SIZE void tn_dsp_depthwise_rows(const tn_step* step, const tn_dsp_depthwise_rows_params* p) {
  const int32_t width = p->input_w, outputs = width / 2;
  const int32_t begin = p->pad_left ? 0 : width, walk = width - 2 * begin; /* in a plane */
  const int8_t* const padding = memset(step->scratch, 0, (size_t)width);
  tn_dsp_rows rows;
  rows.weights = p->weights;
  rows.span = walk / 8 * 8;
  rows.tail = outputs & 2;
  rows.channels = p->channels;
  rows.stride = walk < 0 ? -p->channels : p->channels;
  for (int32_t r = 0; r < step->rows; ++r) {
    rows.output = step->output[r] + (walk < 0 ? (outputs - 1) * p->channels : 0);
    for (int32_t i = 0; i < 3; ++i) {
      const int8_t* const row = step->input[2 * r + i];
      rows.rows[i] = (row != NULL ? row : padding) + begin;
      rows.next[i] = (row != NULL ? width : 0) - walk;
    }
    p->kernel(&rows);
  }
}
