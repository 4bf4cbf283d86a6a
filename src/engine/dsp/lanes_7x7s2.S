@ Depthwise 7x7, stride 2: see lanes.inc.
#define KERNEL 7
#define STRIDE 2
#define NAME tn_dsp_lanes_7x7s2
#include "lanes.inc"
