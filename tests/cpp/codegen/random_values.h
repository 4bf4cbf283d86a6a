// Values for graphs that only describe sizes, such as the published architectures.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace tinynas::testing {

/// Random int8 weights, biases and quantisation for every operator; the same seed gives the same values.
Graph with_random_values(Graph graph, std::uint64_t seed);

}  // namespace tinynas::testing
