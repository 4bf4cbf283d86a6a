/* Pixels of int8. */
#define POINTWISE tn_dsp_pointwise
#define GATHER tn_dsp_gather
#define BYTES(values) (values)
#include "pointwise.inc"
