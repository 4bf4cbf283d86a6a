// What every schedule reports alike: work, parameters, Flash, the published "Act".
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "oracle/oracle.h"

namespace tinynas {

/// Output channels of an operator with weights; 0 for any other.
[[nodiscard]] std::int64_t weight_channels(const Graph& graph, const Operator& op);

/// Bytes of the weights alone (the second input of an operator with weights).
[[nodiscard]] std::int64_t weight_bytes(const Graph& graph, const Operator& op);

/// `macs`, `params` and `act_bytes` (graph/statistics.h) and one entry of `layers` per operator with its `macs`; everything
/// else zero.
[[nodiscard]] Cost make_cost(const Graph& graph);

/// `flash_bytes` of the cost and of its layers: weights, and so many bytes of constants per output channel.
void add_flash(const Graph& graph, std::int64_t bytes_per_channel, Cost& cost);

/// MACs that `patch` and `streaming+recompute` may add to the network's `macs`: the options' percentage, 25 if absent.
[[nodiscard]] std::int64_t mac_budget(const ScheduleOptions& options, std::int64_t macs);

/// Of our engine: int32 bias, int32 multiplier, int8 shift.
inline constexpr std::int64_t kEngineFlashPerChannel = 9;

}  // namespace tinynas
