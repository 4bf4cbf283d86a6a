/* Start-up for QEMU's MPS boards: memory, FPU, SysTick from the core clock, output and exit through semihosting. */
#include "harness.h"

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;
int main(void);

static void semihosting(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void print(const char* text) { semihosting(4, text); }

void print_number(uint32_t value) {
  char text[12];
  char* p = text + sizeof text;
  *--p = 0;
  do *--p = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  print(p);
}

uint32_t crc_byte(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));
  return crc;
}

static void leave(uint32_t code) {
  const uint32_t block[2] = {0x20026, code};
  semihosting(0x20, block);
  for (;;) {
  }
}

void reset(void) {
  *(volatile uint32_t*)0xE000ED88 |= 0xFU << 20; /* CPACR: FPU and vectors */
  __asm__ volatile("dsb\nisb");
  for (uint32_t *from = &data_load, *to = &data_start; to < &data_end;) *to++ = *from++;
  for (uint32_t* to = &bss_start; to < &bss_end;) *to++ = 0;
  *(volatile uint32_t*)0xE000E014 = 0xFFFFFF;
  *(volatile uint32_t*)0xE000E018 = 0;
  *(volatile uint32_t*)0xE000E010 = 5;
  leave((uint32_t)main());
}

static void fault(void) {
  print("FAULT\n");
  leave(3);
}

__attribute__((section(".vectors"), used)) static const void* const vectors[16] = {&stack_top, reset, fault, fault,
                                                                                   fault,      fault, fault};
