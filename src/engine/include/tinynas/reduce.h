/* Reductions. Those over the whole map take rows as they arrive; their accumulators are the segment's scratch. */
#ifndef TINYNAS_REDUCE_H
#define TINYNAS_REDUCE_H

#include "tinynas/step.h"

/* Sums of every channel over H and W. tn_sum_start clears scratch [channels] of int32, tn_sum_row adds the step's input
 * rows, then one of the finishers writes output[0]. */
typedef struct {
  int32_t channels;
  int32_t width;            /* columns of an input row */
  int32_t count;            /* H * W */
  int32_t input_zero_point; /* mean only */
  int32_t output_zero_point, multiplier, shift;
  int32_t low, high;
} tn_sum_params;
void tn_sum_start(const tn_step* step, const tn_sum_params* params);
void tn_sum_row(const tn_step* step, const tn_sum_params* params);
void tn_sum_finish_average(const tn_step* step, const tn_sum_params* params); /* sum / count, as tn_average_pool */
void tn_sum_finish_mean(const tn_step* step, const tn_sum_params* params);    /* MEAN: requantised */

/* Maximum over H and W, same protocol; scratch [channels] of int8. */
void tn_max_start(const tn_step* step, const tn_sum_params* params);
void tn_max_row(const tn_step* step, const tn_sum_params* params);
void tn_max_finish(const tn_step* step, const tn_sum_params* params);

/* Reductions of a whole tensor seen as [outer][reduced][inner] -> [outer][inner]; one step for everything. */
typedef struct {
  int32_t outer, reduced, inner;
  int32_t input_zero_point, output_zero_point, multiplier, shift; /* MEAN */
  int32_t low, high;
} tn_reduce_params;
void tn_reduce_mean(const tn_step* step, const tn_reduce_params* params);
void tn_reduce_max(const tn_step* step, const tn_reduce_params* params);
void tn_arg_max(const tn_step* step, const tn_reduce_params* params); /* int32 indices */

/* Softmax over the last axis of each pixel; TensorFlow Lite's fixed-point exponential. */
typedef struct {
  int32_t depth;
  int32_t multiplier, shift;
  int32_t difference_min;
} tn_softmax_params;
void tn_softmax(const tn_step* step, const tn_softmax_params* params);

#endif
