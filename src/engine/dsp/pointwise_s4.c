/* Pixels of 4-bit values. */
#define POINTWISE tn_dsp_pointwise_s4
#define GATHER tn_dsp_gather_s4
#define BYTES(values) ((values) / 2)
#include "pointwise.inc"
