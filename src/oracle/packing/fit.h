// Whether buffers fit a capacity: a portfolio of searches on all cores.
#pragma once

#include "oracle/packing/packing.h"
#include "oracle/packing/skyline.h"

namespace tinynas::packing {

/// Searches until the deadline for a packing of at most `problem.goal` bytes and puts it into `best`. In turn, each with
/// more effort every time: the skyline search of the problem with buffers glued together as evidence suggests, more boldly
/// glued, and as it is; and the squeaky wheel. Every other thread sees time reversed. `impossible` is a proof. The problem
/// must have no overlaps.
[[nodiscard]] Verdict fit(const Problem& problem, Clock::time_point deadline, int threads, Packing& best);

}  // namespace tinynas::packing
