// Steps of several rows for cores whose kernels gain by them, as far as a limit on the arena allows.
#pragma once

#include <cstdint>
#include <vector>

#include "oracle/schedule.h"

namespace tinynas {

/// What preferring speed may make of the least arena: seven tenths more.
[[nodiscard]] constexpr std::int64_t speed_limit_bytes(std::int64_t arena_bytes) {
  return arena_bytes + arena_bytes * 7 / 10;
}

/// Sets `rows_at_once` where `limit_bytes` allows: depthwise convolutions take as many rows as their kernel unpacks
/// together, all others enough for a block of pixels. Does nothing for portable kernels.
void batch_rows(const ScheduleInput& input, std::int64_t limit_bytes, std::vector<Segment>& segments);

}  // namespace tinynas
