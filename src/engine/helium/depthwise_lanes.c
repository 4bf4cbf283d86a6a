/* Depthwise over padded copies of the input rows, 16 channels at a time: no border is left, narrow maps run like wide ones.
 */
#include <arm_mve.h>
#include <string.h>

#include "tinynas/helium.h"

enum { GROUP = 16, LANES = 4, PIXELS = 4 };

/* Channels [c, c + 16) of a row's columns into the padded row. */
static void copy_row(const tn_helium_depthwise_lanes_params* p, const int8_t* row, int32_t c, int8_t* padded) {
  const int32_t room = p->columns - p->geometry.pad_left;
  const int32_t columns = p->geometry.input_w < room ? p->geometry.input_w : room;
  const mve_pred16_t valid = vctp8q((uint32_t)(p->channels - c));
  row += c;
  padded += GROUP * p->geometry.pad_left;
  for (int32_t x = 0; x < columns; ++x, row += p->channels, padded += GROUP) vstrbq_s8(padded, vldrbq_z_s8(row, valid));
}

/* All pixels of one output row, four channels. A last block overlaps the one before; a row of fewer than four goes aside. */
static void run_row(const tn_helium_depthwise_lanes_params* p, tn_helium_lanes_args* args, int8_t* output, int32_t width) {
  const int8_t* input = args->input;
  const int32_t blocks = width / PIXELS, rest = width % PIXELS;
  int8_t aside[PIXELS * LANES];
  args->output = output;
  args->blocks = blocks;
  if (blocks > 0) p->kernel(args);
  if (rest == 0) return;
  args->blocks = 1;
  if (blocks > 0) {
    args->input = input + (width - PIXELS) * p->geometry.stride_w * GROUP;
    args->output = output + (width - PIXELS) * p->channels;
    p->kernel(args);
    args->input = input;
    return;
  }
  args->output = aside;
  args->pixel_bytes = LANES;
  p->kernel(args);
  args->pixel_bytes = p->channels;
  for (int32_t i = 0; i < rest; ++i) memcpy(output + i * p->channels, aside + i * LANES, LANES);
}

static void run_group(const tn_step* step, const tn_helium_depthwise_lanes_params* p, int32_t c, int32_t r, int32_t rows) {
  const tn_geometry* g = &p->geometry;
  tn_helium_lanes_args args = {.pixel_bytes = p->channels,
                               .row_bytes = GROUP * p->columns,
                               .kernel_h = g->kernel_h,
                               .kernel_w = g->kernel_w,
                               .zero_point = p->zero_point,
                               .low = p->low,
                               .high = p->high};
  for (int32_t k = c; k < c + GROUP && k < p->channels; k += LANES) {
    args.weights = p->weights + c * g->kernel_h * g->kernel_w + (k - c);
    args.constants = p->constants + 4 * k;
    for (int32_t i = 0; i < rows; ++i) {
      args.input = (const int8_t*)step->scratch + i * g->stride_h * args.row_bytes + (k - c);
      run_row(p, &args, step->output[r + i] + k, step->x1);
    }
  }
}

void tn_helium_depthwise_lanes(const tn_step* step, const tn_helium_depthwise_lanes_params* p) {
  const tn_geometry* g = &p->geometry;
  for (int32_t r = 0; r < step->rows; r += p->rows) {
    const int32_t rows = step->rows - r < p->rows ? step->rows - r : p->rows;
    const int32_t input_rows = (rows - 1) * g->stride_h + g->kernel_h, row_bytes = GROUP * p->columns;
    memset(step->scratch, p->input_zero_point, (size_t)(input_rows * row_bytes));
    for (int32_t c = 0; c < p->channels; c += GROUP) {
      for (int32_t i = 0; i < input_rows; ++i) {
        const int8_t* row = step->input[r * g->stride_h + i];
        if (row != NULL) copy_row(p, row, c, (int8_t*)step->scratch + i * row_bytes);
      }
      run_group(step, p, c, r, rows);
    }
  }
}
