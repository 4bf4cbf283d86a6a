@ Weights of 8 bits.
#include "block_steps.inc"
