// Random int8 networks with values: every operator that the engine has, odd sizes; multipliers, shifts and biases at the
// extremes.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace tinynas::testing {

/// A small network that the interpreter runs; the same seed gives the same network.
Graph random_network(std::uint64_t seed);
/// Tensors and weights of 4 and of 8 bits in turn, of the operators that have bodies for 4.
Graph random_packed_network(std::uint64_t seed);

}  // namespace tinynas::testing
