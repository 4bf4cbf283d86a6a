// TinyEngine's accounting of memory (its published figures): whole tensors placed first-fit, depthwise in place, and two
// static buffers beside them. An account of another engine; nothing here is executed by ours.
#pragma once

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

/// activations + max(sbuf) + max(kbuf); `scratch_bytes` is the sum of the two buffers. Flash: weights + 8 B per output
/// channel.
[[nodiscard]] Cost tinyengine_cost(const Graph& graph);

}  // namespace tinynas
