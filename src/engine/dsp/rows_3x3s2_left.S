@ Depthwise 3x3, stride 2, the column of padding on the left: see rows_3x3s2.inc.
#define SIDE LEFT
#define NAME tn_dsp_rows_3x3s2_left
#include "rows_3x3s2.inc"
