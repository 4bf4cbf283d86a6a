// Steps of several rows for cores whose kernels gain by them, as far as a limit on the arena allows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "oracle/streaming/schedule.h"

namespace tinynas {

/// What preferring speed may make of the least arena: 13/20 more, and 32,000 bytes in any case.
[[nodiscard]] constexpr std::int64_t speed_limit_bytes(std::int64_t arena_bytes) {
  return std::max<std::int64_t>(arena_bytes + arena_bytes * 13 / 20, 32000);
}

/// Sets `rows_at_once` where `limit_bytes` allows: depthwise convolutions take as many rows as their kernel unpacks
/// together, all others enough pixels for whole blocks. Segments are joined where that makes a ring planar, and cut further
/// where their parts have room for more rows. Does nothing for portable kernels.
void batch_rows(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments);

}  // namespace tinynas
