/* One kernel call with its operator's shape and the CRC-32 of what the reference interpreter computes. */
#ifndef TINYNAS_TESTS_FIRMWARE_CASE_H
#define TINYNAS_TESTS_FIRMWARE_CASE_H

#include <stdint.h>

#include "tinynas/step.h"

typedef void kernel_function(const tn_step* step, const void* params);

typedef struct {
  const char* name;
  kernel_function* kernel;
  const void* params;
  int32_t input_h, input_w, input_c;
  int32_t output_h, output_w, output_c;
  int32_t kernel_h, stride_h, dilation_h, pad_top;
  int32_t columns, rows_at_once, scratch_bytes;
  int32_t input_plane, output_plane; /* bytes of a plane; 0: nhwc */
  int32_t macs;
  uint32_t seed, crc;
  int32_t inputs;                  /* 2: a second input of the first one's shape */
  int32_t input_zero, output_zero; /* zero points */
  int32_t bits;                    /* of inputs and outputs */
} test_case;

extern const test_case cases[];
extern const int32_t case_count;

#endif
