/* Runs every network on its pictures, compares CRC-32s, and watches that none writes into the memory of the next: the
 * linker lays the networks' variables out in their order, and those that have not run yet are still zero. */
#include "graphs.h"
#include "harness.h"
#include "tinynas/check.h"

extern int8_t graphs_ram_start, graphs_ram_end; /* the linker's: the networks' variables */

static uint32_t random_state;

static int8_t next_byte(void) {
  random_state = random_state * 1664525U + 1013904223U;
  return (int8_t)(random_state >> 24);
}

/* The first operator whose output differs, or -1. */
static int32_t first_difference(const test_graph* g, int32_t picture) {
  static int8_t row[4096];
  tn_check_start();
  random_state = g->seed * GRAPH_PICTURES + (uint32_t)picture;
  for (int32_t y = 0; y < g->input_rows; ++y) {
    for (int32_t i = 0; i < g->row_bytes; ++i) row[i] = next_byte();
    g->push_row(row);
  }
  g->run();
  for (int32_t op = 0; op < g->operators; ++op) {
    if (tn_check_crc(op) != g->crc[picture * g->operators + op]) return op;
  }
  return -1;
}

/* Bytes from the start of the networks' variables to the last that is not zero. */
static uint32_t ram_touched(void) {
  const int8_t* end = &graphs_ram_end;
  while (end > &graphs_ram_start && end[-1] == 0) --end;
  return (uint32_t)(end - &graphs_ram_start);
}

int main(void) {
  int failed = 0;
  for (int32_t i = 0; i < graph_count; ++i) {
    graphs[i].init();
    int32_t wrong = -1;
    for (int32_t picture = 0; picture < GRAPH_PICTURES && wrong < 0; ++picture)
      wrong = first_difference(&graphs[i], picture);
    failed += wrong >= 0;
    print("graph ");
    print_number(graphs[i].seed);
    print(" touched ");
    print_number(ram_touched());
    if (wrong >= 0) {
      print(" operator ");
      print_number((uint32_t)wrong);
    }
    print(wrong < 0 ? " ok\n" : " WRONG\n");
  }
  print(failed == 0 ? "all ok\n" : "FAILED\n");
  return failed != 0;
}
