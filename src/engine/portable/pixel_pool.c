/* Pools of int8. */
#define BITS 8
#define POOL(name) tn_##name##_pool_pixel
#include "pixel_pool.inc"
