// TinyEngine's accounting of memory (its published figures): whole tensors placed first-fit, depthwise in place, and two
// static buffers beside them. An account of another engine; nothing here is executed by ours.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"
#include "oracle/chain.h"
#include "oracle/first_fit.h"
#include "oracle/oracle.h"

namespace tinynas {

/// What the account needs of an operator beside the sizes of its tensors.
struct TinyEngineOperator {
  bool in_place = false;  // its output takes over the address of its input
  std::int64_t sbuf = 0, kbuf = 0;
};

[[nodiscard]] std::vector<TinyEngineOperator> tinyengine_operators(const Graph& graph);

/// activations + max(sbuf) + max(kbuf); `scratch_bytes` is the sum of the two buffers. Flash: weights + 8 B per output
/// channel.
[[nodiscard]] Cost tinyengine_cost(const Graph& graph);

/// `sram_bytes` of tinyengine_cost for a chain of convolutions, additions, pools and fully connected operators.
[[nodiscard]] std::int64_t tinyengine_chain_bytes(ChainView links, std::span<const TinyEngineOperator* const> operators,
                                                  std::int64_t image_bytes, FirstFit& first_fit);

}  // namespace tinynas
