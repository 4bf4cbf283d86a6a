@ tn_dsp_tile_planar: output rows of planes, see tile.inc.
#define STORE_PLANAR
#define NAME(suffix) tn_dsp_tile_planar##suffix
#include "tile.inc"
