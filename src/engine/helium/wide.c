/* Maps of 4 bits for the kernels of int8 maps: a step's rows as bytes in its scratch, and the results back. */
#include <arm_mve.h>

#include "tinynas/helium.h"

enum { BYTES = 16 }; /* 32 values */

/* The values of a row, the low nibble first. Writes up to 31 values too many. */
static void unpack_row(const int8_t* from, int8_t* to, int32_t values) {
  for (int32_t left = values / 2; left > 0; left -= BYTES, from += BYTES, to += 2 * BYTES) {
    const int8x16_t pairs = vldrbq_z_s8(from, vctp8q((uint32_t)left));
    int8x16x2_t both;
    both.val[0] = vshrq_n_s8(vshlq_n_s8(pairs, 4), 4);
    both.val[1] = vshrq_n_s8(pairs, 4);
    vst2q_s8(to, both);
  }
}

static void pack_row(const int8_t* from, int8_t* to, int32_t values) {
  for (int32_t left = values / 2; left > 0; left -= BYTES, from += 2 * BYTES, to += BYTES) {
    const int8x16x2_t both = vld2q_s8(from);
    vstrbq_p_s8(to, vsliq_n_s8(both.val[0], both.val[1], 4), vctp8q((uint32_t)left));
  }
}

tn_step tn_helium_widen(const tn_step* step, const tn_helium_maps* maps) {
  tn_step wide = *step;
  int8_t* free = step->scratch;
  if (maps->input_values != 0) {
    const int32_t rows = (step->rows - 1) * maps->stride_h + maps->kernel_h;
    const int8_t** input = (const int8_t**)(void*)free;
    free += rows * (int32_t)sizeof *input;
    for (int32_t i = 0; i < rows; ++i) {
      input[i] = step->input[i] == NULL ? NULL : free;
      if (input[i] == NULL) continue;
      unpack_row(step->input[i], free, maps->input_values);
      free += maps->input_values;
    }
    free = (int8_t*)step->scratch + tn_helium_wide_bytes(rows, maps->input_values);
    wide.input = input;
  }
  if (maps->output_values != 0) {
    int8_t** output = (int8_t**)(void*)free;
    int8_t* row = free + step->rows * (int32_t)sizeof *output;
    for (int32_t i = 0; i < step->rows; ++i, row += maps->output_values) output[i] = row;
    free += tn_helium_wide_bytes(step->rows, maps->output_values);
    wide.output = output;
  }
  wide.scratch = free;
  return wide;
}

void tn_helium_narrow(const tn_step* step, const tn_step* wide, const tn_helium_maps* maps) {
  for (int32_t i = 0; maps->output_values != 0 && i < step->rows; ++i)
    pack_row(wide->output[i], step->output[i], maps->output_values);
}
