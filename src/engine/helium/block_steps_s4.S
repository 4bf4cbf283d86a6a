@ Weights of 4 bits.
#define NIBBLES
#include "block_steps.inc"
