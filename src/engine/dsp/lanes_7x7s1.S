@ Depthwise 7x7, stride 1: see lanes.inc.
#define KERNEL 7
#define STRIDE 1
#define NAME tn_dsp_lanes_7x7s1
#include "lanes.inc"
