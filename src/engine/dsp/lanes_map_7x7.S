@ Depthwise 7x7, stride 1, of whole maps of at most 5 rows: see lanes.inc.
#define KERNEL 7
#define STRIDE 1
#define MAP_ROWS 5
#define NAME tn_dsp_lanes_map_7x7
#include "lanes.inc"
