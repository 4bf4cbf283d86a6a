// Removal of provably constant channels.
//
// Interval arithmetic over an int8 graph finds channels whose value cannot change whatever the input is: a ReLU that clamps
// every possible accumulator, a channel whose weights are all zero. A convolution that reads such a channel adds the same to
// every accumulator, so the channel is removed and what it added moves into the bias; outputs stay the same to the byte. A
// border of zero padding is respected: a convolution that pads reads zeros there in place of the constant, so only a
// constant equal to the zero point folds into it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

/// Closed interval of the int8 values that each channel (last dimension) of a tensor can take; empty for other tensors.
struct ChannelRanges {
  std::vector<std::int32_t> low, high;
  [[nodiscard]] bool known() const { return !low.empty(); }
  [[nodiscard]] bool constant(std::size_t channel) const { return low[channel] == high[channel]; }
};

/// By tensor index, over all inputs that the graph's types allow.
[[nodiscard]] std::vector<ChannelRanges> channel_ranges(const Graph& graph);

struct ShrinkReport {
  std::int64_t macs_before = 0, macs_after = 0;
  std::int64_t weights_before = 0, weights_after = 0;  // elements, biases not counted
  std::int32_t channels_removed = 0;
};

/// The graph without the constant channels that can be removed exactly; the same inputs and outputs. Tensors keep their
/// indices. Graphs that are not int8, or only describe sizes, come back as they are. InputError for an invalid graph.
[[nodiscard]] Graph shrink(const Graph& graph, ShrinkReport* report = nullptr);

}  // namespace tinynas
