@ tn_dsp_tile_nhwc: output rows of pixels, see tile.inc.
#define STORE_NHWC
#define NAME(suffix) tn_dsp_tile_nhwc##suffix
#include "tile.inc"
