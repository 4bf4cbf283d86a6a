/* What the application asks of a board: pictures in, results out. board_emulator.c and board_bare.c are two answers. */
#ifndef TN_BOARD_H
#define TN_BOARD_H

#include <stdint.h>

/* Waits for the next picture; 0: there is none any more. */
int board_next_picture(void);
/* Row y of the picture's first input; its bytes stay until the next call. */
const int8_t* board_row(int32_t y);
/* Copies stored input `index` to its place. */
void board_fill(int32_t index, int8_t* to, int32_t bytes);
/* Around everything that the network computes for one picture. */
void board_begin(void);
void board_end(void);
/* Output `index` of the picture. */
void board_result(int32_t index, const int8_t* values, int32_t bytes);
/* After the last picture. */
void board_done(void);

#endif
