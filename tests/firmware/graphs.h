/* A generated network with the CRC-32 of what the reference interpreter gives for every operator on each picture. */
#ifndef TINYNAS_TESTS_FIRMWARE_GRAPHS_H
#define TINYNAS_TESTS_FIRMWARE_GRAPHS_H

#include <stdint.h>

enum { GRAPH_PICTURES = 2 };

typedef struct {
  uint32_t seed;
  int32_t input_rows, row_bytes, operators;
  void (*init)(void);
  void (*push_row)(const int8_t* row);
  void (*run)(void);
  const uint32_t* crc; /* [GRAPH_PICTURES][operators] */
} test_graph;

extern const test_graph graphs[];
extern const int32_t graph_count;

#endif
