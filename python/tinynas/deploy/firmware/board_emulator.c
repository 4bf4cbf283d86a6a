/* The emulator: files by semihosting, instructions by SysTick (QEMU with -icount shift=0 runs one instruction per
 * nanosecond, and SysTick counts the machine's clock), the stack by a pattern below the stack pointer. */
#include <stddef.h>

#include "board.h"
#include "firmware_sizes.h"
#ifdef TN_CHECK_LAYERS
#include "tinynas/check.h"
#endif
#ifdef TN_PROBES
#include "tinynas/probe.h"
#endif

#define SYST_CSR (*(volatile uint32_t*)0xE000E010)
#define SYST_RVR (*(volatile uint32_t*)0xE000E014)
#define SYST_CVR (*(volatile uint32_t*)0xE000E018)
#define SYST_WRAP 0x1000000u

enum { SYS_OPEN = 1, SYS_WRITE0 = 4, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT_EXTENDED = 0x20 };
enum { STACK_PAINTED = 16384, STACK_PATTERN = 0x5AA5A55A };

static int8_t picture[FIRMWARE_PICTURE_BYTES];
static int input_file = -1;
static int output_file = -1;
static volatile uint32_t wraps;
static uint64_t started, total;
static uint32_t pictures, deepest;
static uint32_t* painted;

static int semihost(int operation, const void* arguments) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void say(const char* text) { semihost(SYS_WRITE0, text); }

static void say_number(const char* before, uint64_t value) {
  char digits[24];
  char* at = digits + sizeof digits - 1;
  *at = 0;
  do {
    *--at = (char)('0' + (int)(value % 10));
    value /= 10;
  } while (value != 0);
  say(before);
  say(at);
}

static void leave(uint32_t code) {
  const uint32_t block[2] = {0x20026, code};
  semihost(SYS_EXIT_EXTENDED, block);
}

void Fault_Handler(void);
void Fault_Handler(void) {
  say("fault\n");
  leave(70);
}

void SysTick_Handler(void);
void SysTick_Handler(void) { ++wraps; }

/* Ticks since the start; a wrap between the two reads shows as a changed count. */
static uint64_t ticks(void) {
  for (;;) {
    const uint32_t before = wraps;
    const uint32_t value = SYST_CVR;
    if (before == wraps) return (uint64_t)before * SYST_WRAP + (SYST_WRAP - 1u - value);
  }
}

#ifdef TN_PROBES
/* What the probes themselves take is measured on empty ones, at the start, and left out of the report. */
enum { EMPTY_PROBES = 256 };
static uint64_t probe_total[FIRMWARE_OPERATORS], probe_started, empty_total;
static uint32_t probe_count[FIRMWARE_OPERATORS];

__attribute__((noipa)) void tn_probe_begin(int32_t op) {
  (void)op;
  probe_started = ticks();
}
__attribute__((noipa)) void tn_probe_end(int32_t op) {
  probe_total[op] += ticks() - probe_started;
  ++probe_count[op];
}

static void measure_probes(void) {
  for (int32_t i = 0; i < EMPTY_PROBES; ++i) {
    tn_probe_begin(0);
    tn_probe_end(0);
  }
  empty_total = probe_total[0];
  probe_total[0] = 0;
  probe_count[0] = 0;
}

static uint64_t probed_ticks(uint32_t op) {
  const uint64_t own = probe_count[op] * empty_total / EMPTY_PROBES;
  return probe_total[op] > own ? probe_total[op] - own : 0;
}
#endif

static int open_file(const char* name, size_t length, uint32_t mode) {
  const uint32_t block[3] = {(uint32_t)(uintptr_t)name, mode, (uint32_t)length};
  return semihost(SYS_OPEN, block);
}

static void start(void) {
  input_file = open_file("input.bin", 9, 1);    /* rb */
  output_file = open_file("output.bin", 10, 5); /* wb */
  if (input_file < 0 || output_file < 0) {
    say("files missing\n");
    leave(71);
  }
  SYST_RVR = SYST_WRAP - 1u;
  SYST_CVR = 0;
  SYST_CSR = 7; /* on, interrupt at wraps, the core's clock */
#ifdef TN_PROBES
  measure_probes();
#endif
}

int board_next_picture(void) {
  if (input_file < 0) start();
  const uint32_t block[3] = {(uint32_t)input_file, (uint32_t)(uintptr_t)picture, sizeof picture};
  if (semihost(SYS_READ, block) != 0) return 0;
#ifdef TN_CHECK_LAYERS
  tn_check_start(); /* the last picture's stand */
#endif
  return 1;
}

const int8_t* board_row(int32_t y) { return picture + y * FIRMWARE_ROW_BYTES; }

void board_fill(int32_t index, int8_t* to, int32_t bytes) {
  static const int32_t offsets[] = FIRMWARE_INPUT_OFFSETS;
  for (int32_t i = 0; i < bytes; ++i) to[i] = picture[offsets[index] + i];
}

__attribute__((noinline)) void board_begin(void) {
  uint32_t* sp;
  __asm__ volatile("mov %0, sp" : "=r"(sp));
  painted = sp - 8;
  for (uint32_t i = 0; i < STACK_PAINTED / 4; ++i) painted[-(int32_t)i] = STACK_PATTERN;
  started = ticks();
}

__attribute__((noinline)) void board_end(void) {
  total += ticks() - started;
  ++pictures;
  uint32_t depth = STACK_PAINTED / 4;
  while (depth > 0 && painted[-(int32_t)(depth - 1)] == STACK_PATTERN) --depth;
  const uint32_t bytes = depth * 4 + 32;
  if (bytes > deepest) deepest = bytes;
}

void board_result(int32_t index, const int8_t* values, int32_t bytes) {
  (void)index;
  const uint32_t block[3] = {(uint32_t)output_file, (uint32_t)(uintptr_t)values, (uint32_t)bytes};
  semihost(SYS_WRITE, block);
}

void board_done(void) {
  say_number("ticks ", total);
  say_number("\npictures ", pictures);
  say_number("\nstack ", deepest);
  say("\n");
#ifdef TN_PROBES
  for (uint32_t i = 0; i < FIRMWARE_OPERATORS; ++i) {
    say_number("probe ", i);
    say_number(" ", probed_ticks(i));
    say_number(" ", probe_count[i]);
    say("\n");
  }
#endif
#ifdef TN_CHECK_LAYERS
  for (uint32_t i = 0; i < FIRMWARE_OPERATORS; ++i) {
    say_number("crc ", i);
    say_number(" ", tn_check_crc((int32_t)i));
    say("\n");
  }
#endif
  leave(0);
}
