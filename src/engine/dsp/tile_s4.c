/* Tiles with weights of 4 bits: some pairs of channels at a time are expanded in front of the gathered pixels and run as
 * weights of 8 bits. */
#include "tinynas/dsp.h"
#include "tinynas/scratch.h"

void tn_dsp_tile_s4(const tn_dsp_tile* tile) {
  const uint32_t* packed = tile->weights;
  const int32_t together = tn_dsp_expanded_pairs(tile->steps);
  tn_dsp_tile part = *tile;
  part.weights = tile->expanded + tn_dsp_lead(tile->steps);
  for (int32_t left = tile->pairs; left > 0; left -= part.pairs) {
    part.pairs = left < together ? left : together;
    packed = tn_dsp_expand(packed, tile->expanded + tn_dsp_lead(tile->steps), part.pairs, tile->steps);
    tn_dsp_tile_run(&part);
  }
}
