/* What the program does with a result: board_f746.c and board_emulator.c. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Shows the class of the greatest output; 0: no further picture is wanted. */
int board_show(const int8_t* output, int32_t count, int32_t rows_lost);

static inline int32_t greatest(const int8_t* values, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; ++i) best = values[i] > values[best] ? i : best;
  return best;
}

#endif
