@ Weights of 8 bits.
#include "block_single.inc"
