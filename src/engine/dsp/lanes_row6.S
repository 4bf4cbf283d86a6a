@ Depthwise 3x3, stride 1, of rows of six columns: see lanes_row.inc.
#define WIDTH 6
#define NAME tn_dsp_lanes_row6
#include "lanes_row.inc"
