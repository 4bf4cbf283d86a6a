@ Depthwise 3x3, stride 1: see lanes.inc.
#define KERNEL 3
#define STRIDE 1
#define NAME tn_dsp_lanes_3x3s1
#include "lanes.inc"
