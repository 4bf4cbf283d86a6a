// TinyEngine's accounting of memory (its published figures): whole tensors placed first-fit, depthwise in place, and two
// static buffers beside them. An account of another engine; nothing here is executed by ours.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "oracle/accounts/first_fit.h"
#include "oracle/oracle.h"
#include "oracle/rows.h"

namespace tinynas {

/// What the account needs of an operator of a chain, in which each reads the output of the one before.
struct TinyEngineOperator {
  std::int64_t bytes = 0;  // of its output
  std::int32_t skip = 0;   // an ADD's other input is the output of the operator `skip` + 1 places before; 0: none
  bool in_place = false;   // its output takes over the address of its input
  std::int64_t sbuf = 0, kbuf = 0;
};

/// The two static buffers that an operator wants.
struct TinyEngineBuffers {
  std::int64_t sbuf = 0, kbuf = 0;

  [[nodiscard]] std::int64_t bytes() const { return sbuf + kbuf; }
  void include(const TinyEngineBuffers& other) {
    sbuf = std::max(sbuf, other.sbuf);
    kbuf = std::max(kbuf, other.kbuf);
  }
};
[[nodiscard]] TinyEngineBuffers tinyengine_buffers(const Graph& graph, const Operator& op);

/// Operators [first, end) and the bytes of every tensor as they see it.
struct TinyEngineRun {
  std::int32_t first = 0, end = 0;
  std::span<const std::int64_t> bytes;
};
/// Places the tensors of a run, those that come from before it among them.
[[nodiscard]] std::int64_t tinyengine_activations(const Graph& graph, const RowGraph& rows, const TinyEngineRun& run,
                                                  FirstFit& first_fit);

inline constexpr std::int64_t kTinyEngineFlashPerChannel = 8;  // int32 bias, float scale

[[nodiscard]] std::vector<TinyEngineOperator> tinyengine_operators(const Graph& graph);

/// activations + max(sbuf) + max(kbuf); `scratch_bytes` is the sum of the two buffers. Flash: weights + 8 B per output
/// channel.
[[nodiscard]] Cost tinyengine_cost(const Graph& graph);

/// `sram_bytes` of tinyengine_cost for a chain of convolutions, additions, pools and fully connected operators.
[[nodiscard]] std::int64_t tinyengine_chain_bytes(std::span<const TinyEngineOperator* const> operators,
                                                  std::int64_t image_bytes, FirstFit& first_fit);

}  // namespace tinynas
