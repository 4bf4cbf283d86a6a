@ Depthwise 3x3, stride 2: see lanes.inc.
#define KERNEL 3
#define STRIDE 2
#define NAME tn_dsp_lanes_3x3s2
#include "lanes.inc"
