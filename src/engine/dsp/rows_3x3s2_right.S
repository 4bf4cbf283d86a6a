@ Depthwise 3x3, stride 2, the column of padding on the right: see rows_3x3s2.inc.
#define SIDE RIGHT
#define NAME tn_dsp_rows_3x3s2_right
#include "rows_3x3s2.inc"
