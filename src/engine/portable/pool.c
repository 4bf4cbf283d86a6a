/* Pools of int8. */
#define BITS 8
#define POOL(name) tn_##name##_pool
#include "pool.inc"
