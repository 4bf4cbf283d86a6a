@ Depthwise 3x3, stride 1, of rows of five columns: see lanes_row.inc.
#define WIDTH 5
#define NAME tn_dsp_lanes_row5
#include "lanes_row.inc"
