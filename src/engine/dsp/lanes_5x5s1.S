@ Depthwise 5x5, stride 1: see lanes.inc.
#define KERNEL 5
#define STRIDE 1
#define NAME tn_dsp_lanes_5x5s1
#include "lanes.inc"
