/* The application between your board's camera and its outputs. Replace read_row and use_output. */
#include <stdint.h>
#ifdef EXAMPLE_ON_HOST
#include <stdio.h>
#endif

#include "model.h"

volatile int32_t shown_class; /* what your board shows, sends or acts on */

/* Row y of the picture: int8 values, pixel - 128, channels together. */
static void read_row(int32_t y, int8_t* row) {
  for (int32_t i = 0; i < TN_INPUT_ROW_BYTES; ++i) row[i] = (int8_t)(3 * i + 5 * y);
}

static void use_output(const int8_t* output) {
  int32_t best = 0;
  for (int32_t i = 1; i < TN_OUTPUT_BYTES; ++i) best = output[i] > output[best] ? i : best;
#ifdef EXAMPLE_ON_HOST
  printf("class %d\n", (int)best);
#else
  shown_class = best;
#endif
}

int main(void) {
  static int8_t row[TN_INPUT_ROW_BYTES];
  model_init();
  for (int32_t y = 0; y < TN_INPUT_ROWS; ++y) {
    read_row(y, row);
    model_push_row(row);
  }
  model_run();
  use_output(model_output());
  return 0;
}
