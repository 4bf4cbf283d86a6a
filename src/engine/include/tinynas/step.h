/* The one calling form of the engine's kernels.
 *
 * A kernel computes some output rows of an operator from rows of its inputs. Rows are handed over as pointers, so that a
 * whole tensor, a ring of rows and a row that a camera just pushed look the same. Every kernel has the form
 *
 *     void tn_name(const tn_step *step, const tn_name_params *params);
 *
 * where `params` is constant data in Flash. Kernels never fail: the generator has checked everything that they are given.
 */
#ifndef TINYNAS_STEP_H
#define TINYNAS_STEP_H

#include <stddef.h>
#include <stdint.h>

/* Output rows y .. y + rows - 1 of an operator whose window is k rows high with stride s and dilation d:
 *
 *     input[r * s + i * d]   is the input row under the window's row i for output row y + r;
 *                            NULL: a row of padding, above or below the map.
 *     output[r]              is the start of output row y + r (column 0, whatever x0 is).
 *
 * Operators without a window have k = s = d = 1: input[r] belongs to output[r]. A row in layout nhwc is W pixels of C
 * values; a planar row is C planes of (left + W + right) values, the padding columns already holding the zero point.
 * Elements are int8 unless the operator says otherwise; pointers are then cast (every row is aligned for its element type).
 */
typedef struct {
  const int8_t* const* input;  /* rows of the first input */
  const int8_t* const* second; /* rows of the second input (ADD, MUL); else NULL */
  int8_t* const* output;
  int32_t y;      /* first output row */
  int32_t rows;   /* output rows to compute, >= 1 */
  int32_t x0, x1; /* output columns [x0, x1) */
  void* scratch;  /* tn_scratch_bytes() of the operator, aligned to 4; NULL when that is 0 */
} tn_step;

#endif
