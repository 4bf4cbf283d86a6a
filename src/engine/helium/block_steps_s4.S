@ block_steps.S with weights of 4 bits.
#define NIBBLES
#include "block_steps.S"
