/* STM32F746G-Discovery: the green LED (PI1) is on for class 1. */
#include "board.h"

#define RCC_AHB1ENR (*(volatile uint32_t*)0x40023830)
#define GPIOI_MODER (*(volatile uint32_t*)0x40022000)
#define GPIOI_BSRR (*(volatile uint32_t*)0x40022018)

int board_show(const int8_t* output, int32_t count, int32_t rows_lost) {
  (void)rows_lost;
  RCC_AHB1ENR |= 1u << 8;                             /* clock of port I */
  GPIOI_MODER = (GPIOI_MODER & ~(3u << 2)) | 1u << 2; /* PI1 is an output */
  GPIOI_BSRR = greatest(output, count) == 1 ? 1u << 1 : 1u << 17;
  return 1;
}
