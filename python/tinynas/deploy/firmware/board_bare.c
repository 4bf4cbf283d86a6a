/* A board without drivers yet: the picture's rows are taken from a mailbox that a debugger, a DMA channel or your camera
 * driver fills; replace these functions and keep the rest. */
#include <stddef.h>
#include <string.h>

#include "board.h"

volatile const int8_t* volatile board_mailbox_row; /* set by the driver: the row that is ready */
volatile int32_t board_mailbox_class;              /* read by the driver: the greatest value of the last output */

int board_next_picture(void) { return 1; }

const int8_t* board_row(int32_t y) {
  (void)y;
  while (board_mailbox_row == NULL) {
  }
  const int8_t* row = (const int8_t*)board_mailbox_row;
  board_mailbox_row = NULL;
  return row;
}

void board_fill(int32_t index, int8_t* to, int32_t bytes) {
  (void)index;
  memcpy(to, board_row(0), (size_t)bytes);
}

void board_begin(void) {}
void board_end(void) {}

void board_result(int32_t index, const int8_t* values, int32_t bytes) {
  int32_t best = 0;
  for (int32_t i = 1; i < bytes; ++i) best = values[i] > values[best] ? i : best;
  if (index == 0) board_mailbox_class = best;
}

void board_done(void) {}
