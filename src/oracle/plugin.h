/* An oracle as a shared library: the C interface behind `--oracle ./libmine.so` (search, space, profile).
 *
 * The library exports the three functions below. It runs in a process of its own: when it crashes, or does not answer within
 * ten seconds, that process is ended and the error names the library. Calls come one at a time. Everything that is passed
 * in lives until the call returns. Sizes are in bytes. */
#ifndef TINYNAS_ORACLE_PLUGIN_H
#define TINYNAS_ORACLE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct or function changes; a library of another version is refused. */
#define TN_ORACLE_ABI_VERSION 1

typedef struct {
  const char* name;
  int64_t bytes;
  const int32_t* shape; /* `rank` dimensions; feature maps are NHWC with N = 1 */
  int32_t rank;
  int32_t constant;    /* 1: lies in Flash */
  int32_t producer;    /* operator that writes it, -1: an input of the graph or a constant */
  int32_t last_reader; /* operator, operator_count for an output of the graph, -1: never read */
} tn_oracle_tensor;

typedef struct {
  const char* name;
  const char* kind; /* "conv2d", "depthwise_conv2d", "add", ... as in the graph's JSON form */
  int64_t macs;
  const int32_t* inputs; /* `input_count` tensors; -1: an optional input that is absent */
  int32_t input_count;
  int32_t output; /* tensor */
} tn_oracle_operator;

/* Operators stand in an order in which they can run. */
typedef struct {
  const char* name;
  const tn_oracle_tensor* tensors;
  const tn_oracle_operator* operators;
  int32_t tensor_count;
  int32_t operator_count;
  const char* json; /* the whole graph, attributes included (Graph.to_json) */
} tn_oracle_graph;

/* sram_bytes must be activation_bytes + scratch_bytes. The platform's overhead is not in it. */
typedef struct {
  int64_t macs, params, act_bytes; /* filled in before the call: facts of the graph */
  int64_t flash_bytes;             /* filled in with weights and biases */
  int64_t sram_bytes, activation_bytes, scratch_bytes;
  double latency_us;     /* 0: no model */
  int32_t peak_operator; /* -1: not said */
} tn_oracle_cost;

/* TN_ORACLE_ABI_VERSION of the header that the library was built with. */
uint32_t tn_oracle_abi_version(void);

/* What reports call the oracle; a constant. */
const char* tn_oracle_name(void);

/* Fills in `cost` and returns 0. Anything else: the graph cannot be executed, and `message` (of `message_size` bytes, the
 * terminator included) says why. The answer must depend on the graph alone. */
int32_t tn_oracle_cost_of(const tn_oracle_graph* graph, tn_oracle_cost* cost, char* message, int32_t message_size);

#ifdef __cplusplus
}
#endif

#endif
