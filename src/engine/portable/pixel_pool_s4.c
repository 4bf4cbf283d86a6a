/* Pools of 4-bit values. */
#include "tinynas/packed.h"
#define BITS 4
#define POOL(name) tn_##name##_pool_pixel_s4
#include "pixel_pool.inc"
