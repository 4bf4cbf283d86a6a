/* An oracle in C: an interpreter that keeps every tensor whole and moves them together, so that the arena is what lives at
 * once. Build it with `make`, use it with `tinynas profile MODEL --oracle ./liblive_tensors.so`. */
#include <stdio.h>

#include "plugin.h"

uint32_t tn_oracle_abi_version(void) { return TN_ORACLE_ABI_VERSION; }

const char* tn_oracle_name(void) { return "live-tensors"; }

static int64_t live_bytes(const tn_oracle_graph* graph, int32_t op) {
  int64_t live = 0;
  for (int32_t t = 0; t < graph->tensor_count; ++t) {
    const tn_oracle_tensor* tensor = &graph->tensors[t];
    if (!tensor->constant && tensor->producer <= op && tensor->last_reader >= op) live += tensor->bytes;
  }
  return live;
}

int32_t tn_oracle_cost_of(const tn_oracle_graph* graph, tn_oracle_cost* cost, char* message, int32_t message_size) {
  if (graph->operator_count == 0) {
    snprintf(message, (size_t)message_size, "a graph without operators");
    return 1;
  }
  for (int32_t op = 0; op < graph->operator_count; ++op) {
    const int64_t live = live_bytes(graph, op);
    if (live <= cost->activation_bytes) continue;
    cost->activation_bytes = live;
    cost->peak_operator = op;
  }
  cost->sram_bytes = cost->activation_bytes + cost->scratch_bytes;
  return 0;
}
