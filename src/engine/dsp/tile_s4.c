/* The multiplying heart with weights of 4 bits: some pairs of channels at a time are expanded behind the gathered pixels and
 * run as weights of 8 bits. */
#include "tinynas/dsp.h"

void tn_dsp_tile_s4(const tn_dsp_tile* tile) {
  const int32_t pixels = tile->rows * (4 * tile->blocks + tile->tail);
  uint32_t* words = (uint32_t*)(uintptr_t)tile->tile + pixels * tile->steps + TN_DSP_LEAD;
  const uint32_t* packed = tile->weights;
  const int32_t together = tn_dsp_expanded_pairs(tile->steps);
  tn_dsp_tile part = *tile;
  part.weights = words;
  for (int32_t left = tile->pairs; left > 0; left -= part.pairs) {
    part.pairs = left < together ? left : together;
    packed = tn_dsp_expand(packed, words, part.pairs, tile->steps);
    tn_dsp_tile_nhwc(&part);
  }
}
