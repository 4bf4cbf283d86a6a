// How long a network takes on a real board, from its graph.
#pragma once

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

/// TinyEngine on an STM32H743 at 480 MHz: cycles = 1.173 per multiply-accumulate + 24.4 per output element (requantise and
/// store), fitted to nine published networks with 1.5 % mean and 4.4 % worst leave-one-out error. Fills `latency_us` of the
/// cost and of its layers, whose `macs` must be there.
void add_tinyengine_h743_latency(const Graph& graph, Cost& cost);

}  // namespace tinynas
