/* Runs every case row by row, compares the output's CRC-32, counts instructions with SysTick, reports over semihosting. */
#include <stddef.h>
#include <string.h>

#include "case.h"
#include "harness.h"

#define SYSTICK_VALUE (*(volatile uint32_t*)0xE000E018)

enum { BUFFER = 512 * 1024, SCRATCH = 32 * 1024, GUARD = 64, MOST_ROWS = 96 };
static _Alignas(8) int8_t input[BUFFER], second[BUFFER], output[BUFFER + GUARD];
static _Alignas(8) int8_t scratch[SCRATCH + GUARD];

static void fill(int8_t* bytes, int32_t count, uint32_t seed) {
  for (int32_t i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;
    bytes[i] = (int8_t)(seed >> 24);
  }
}

static int32_t row_bytes(int32_t width, int32_t channels, int32_t plane, int32_t bits) {
  return plane != 0 ? channels * plane : (width * channels * bits + 7) / 8;
}

static int32_t input_row_bytes(const test_case* t) { return row_bytes(t->input_w, t->input_c, t->input_plane, t->bits); }
static int32_t output_row_bytes(const test_case* t) { return row_bytes(t->output_w, t->output_c, t->output_plane, t->bits); }

/* Place of value (x, c) in a row: planes hold words of four columns in the order 0, 2, 1, 3, values + 128. */
static int32_t place(int32_t x, int32_t c, int32_t channels, int32_t plane) {
  static const int8_t order[4] = {0, 2, 1, 3};
  return plane != 0 ? c * plane + (x & ~3) + order[x & 3] : x * channels + c;
}

static void make_planar(const test_case* t, int8_t* rows) {
  for (int32_t y = t->input_h - 1; y >= 0; --y) {
    static int8_t row[16384];
    memcpy(row, rows + y * t->input_w * t->input_c, (size_t)(t->input_w * t->input_c));
    for (int32_t x = 0; x < t->input_plane; ++x) {
      for (int32_t c = 0; c < t->input_c; ++c) {
        const int32_t value = x < t->input_w ? row[x * t->input_c + c] : t->input_zero;
        rows[y * t->input_c * t->input_plane + place(x, c, t->input_c, t->input_plane)] = (int8_t)(value ^ 0x80);
      }
    }
  }
}

static void step_rows(const test_case* t, int32_t y, int32_t rows) {
  const int8_t *first[MOST_ROWS], *other[MOST_ROWS];
  int8_t* out[MOST_ROWS];
  const int32_t in_bytes = input_row_bytes(t), out_bytes = output_row_bytes(t);
  const int32_t span = (rows - 1) * t->stride_h + (t->kernel_h - 1) * t->dilation_h + 1;
  for (int32_t i = 0; i < span; ++i) {
    const int32_t in_y = y * t->stride_h - t->pad_top + i;
    const int inside = in_y >= 0 && in_y < t->input_h;
    first[i] = inside ? input + in_y * in_bytes : NULL;
    other[i] = inside ? second + in_y * in_bytes : NULL;
  }
  for (int32_t r = 0; r < rows; ++r) out[r] = output + (y + r) * out_bytes;
  const tn_step step = {first,      t->inputs == 2 ? other : NULL,        out, y, rows, 0,
                        t->columns, t->scratch_bytes > 0 ? scratch : NULL};
  t->kernel(&step, t->params);
}

static uint32_t output_crc(const test_case* t) {
  const int32_t bytes = output_row_bytes(t);
  uint32_t crc = 0xFFFFFFFFU;
  if (t->bits == 4) {
    for (int32_t i = 0; i < t->output_h * bytes; ++i) crc = crc_byte(crc, (uint8_t)output[i]);
    return ~crc;
  }
  for (int32_t y = 0; y < t->output_h; ++y) {
    for (int32_t x = 0; x < t->output_w; ++x) {
      for (int32_t c = 0; c < t->output_c; ++c) {
        const uint8_t value = (uint8_t)output[y * bytes + place(x, c, t->output_c, t->output_plane)];
        crc = crc_byte(crc, t->output_plane != 0 ? value ^ 0x80 : value);
      }
    }
  }
  return ~crc;
}

/* The columns that the last words of planes lack stay padding. */
static int padding_holds(const test_case* t) {
  const int32_t bytes = output_row_bytes(t);
  int ok = 1;
  for (int32_t y = 0; y < t->output_h; ++y) {
    for (int32_t x = t->output_w; x < t->output_plane; ++x) {
      for (int32_t c = 0; c < t->output_c; ++c) {
        ok &= (int8_t)(output[y * bytes + place(x, c, t->output_c, t->output_plane)] ^ 0x80) == t->output_zero;
      }
    }
  }
  return ok;
}

static int guards_hold(const test_case* t) {
  const int8_t* after = output + t->output_h * output_row_bytes(t);
  int ok = 1;
  for (int32_t i = 0; i < GUARD; ++i) ok &= after[i] == 0x5A && scratch[t->scratch_bytes + i] == 0x5A;
  return ok;
}

static int run_case(const test_case* t) {
  const int32_t bytes = t->input_h * row_bytes(t->input_w, t->input_c, 0, t->bits);
  fill(input, bytes, t->seed);
  if (t->inputs == 2) fill(second, bytes, t->seed + 1);
  if (t->input_plane != 0) make_planar(t, input);
  memset(output, 0x5A, sizeof output);
  if (t->output_plane != 0) {
    memset(output, t->output_zero ^ 0x80, (size_t)(t->output_h * output_row_bytes(t)));
  }
  memset(scratch, 0x5A, sizeof scratch);
  uint32_t ticks = 0;
  for (int32_t y = 0; y < t->output_h; y += t->rows_at_once) {
    const int32_t rows = t->output_h - y < t->rows_at_once ? t->output_h - y : t->rows_at_once;
    const uint32_t before = SYSTICK_VALUE;
    step_rows(t, y, rows);
    ticks += (before - SYSTICK_VALUE) & 0xFFFFFFU;
  }
  const int ok = output_crc(t) == t->crc && padding_holds(t), guarded = guards_hold(t);
  print(t->name);
  print(" ticks ");
  print_number(ticks);
  print(" macs ");
  print_number((uint32_t)t->macs);
  print(" outputs ");
  print_number((uint32_t)(t->output_h * t->output_w * t->output_c));
  print(ok ? (guarded ? " ok\n" : " OVERRUN\n") : " WRONG\n");
  return ok && guarded;
}

int main(void) {
  int failed = 0;
  for (int32_t i = 0; i < case_count; ++i) failed += !run_case(&cases[i]);
  print(failed == 0 ? "all ok\n" : "FAILED\n");
  return failed != 0;
}
