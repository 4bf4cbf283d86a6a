@ Depthwise 5x5, stride 2: see lanes.inc.
#define KERNEL 5
#define STRIDE 2
#define NAME tn_dsp_lanes_5x5s2
#include "lanes.inc"
