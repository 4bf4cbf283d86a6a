@ block_single.S with weights of 4 bits.
#define NIBBLES
#include "block_single.S"
