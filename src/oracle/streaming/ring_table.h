// What the search for a cut knows of a network beforehand: the ring of every tensor and the scratch of every operator.
#pragma once

#include <cstdint>
#include <vector>

#include "oracle/streaming/schedule.h"

namespace tinynas {

struct RingTable {
  Grain grain = Grain::rows;
  std::vector<std::int64_t> ring_bytes;  // by tensor: as a ring, all of its readers standing in its own segment
  std::vector<std::int64_t> scratch;     // by operator
  std::vector<std::int64_t> kept;        // by operator: beside its scratch, from step to step
};

/// Rings in closed form: rows equal to those of the row order (segment.h) wherever what joins again comes from one tensor of
/// the segment, as in residuals; pixels by the formulas of pixels.h, which small maps may undercut. The plan itself runs the
/// order.
[[nodiscard]] RingTable make_ring_table(const ScheduleInput& input, Grain grain = Grain::rows);

}  // namespace tinynas
