@ Weights of 4 bits.
#define NIBBLES
#include "block_single.inc"
