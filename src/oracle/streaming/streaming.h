// The streaming schedule: the cut into segments of rows or pixels that needs the least memory, every value computed once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "oracle/streaming/schedule.h"

namespace tinynas {

/// The minimax cut: dynamic programming over all cuts between operators, a segment costing its whole ends, its rings and its
/// scratch, in the cheapest of `grains`. Among the cuts of least peak the one that computes least by pixels, then the one
/// with the least bytes over all segments.
[[nodiscard]] std::vector<Segment> cut_into_segments(const ScheduleInput& input, std::span<const Grain> grains);

/// The peak of that cut.
[[nodiscard]] std::int64_t least_cut_peak(const ScheduleInput& input, std::span<const Grain> grains);

inline constexpr std::array kBothGrains{Grain::rows, Grain::pixels};

/// Preferring memory: the least arena, with rings of pixels only where rings of rows would need more. Preferring speed:
/// rings of rows, several rows at once where the core's kernels gain by it, at most speed_limit_bytes() of the arena without
/// (batch_rows.h) and what the options leave for the arena; never less than preferring memory.
[[nodiscard]] Plan streaming_plan(const Graph& graph, const ScheduleOptions& options);

}  // namespace tinynas
