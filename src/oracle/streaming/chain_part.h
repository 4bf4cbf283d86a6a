// Networks put together from parts that follow each other in a chain (a stem, inverted bottlenecks, a head): what a part
// contributes to any cut into segments, worked out once (chain_cut.h puts them together).
//
// A part reads one map, the output of the part before; every other tensor that it reads is its own. The tensor between two
// parts is computed in raster order.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "oracle/streaming/overlap.h"
#include "oracle/streaming/schedule.h"

namespace tinynas {

/// Cuts of a part are numbered 0 (before its first operator) to `count` (behind its last).
struct ChainPart {
  static constexpr std::size_t kOperators = 4;
  static constexpr std::size_t kGrains = 2;
  static constexpr std::size_t kReaders = 2;
  static constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::max() / 8;  // sums of some fit

  /// A share of a segment's bytes; kNever where the segment cannot run in this grain.
  struct Share {
    std::int32_t bytes = 0;  // whole tensors and rings
    std::int32_t least = 0;  // of those, what any longer segment takes too: rings, whole tensors from before it
    std::int32_t accumulators = 0, kernels = 0;
  };
  /// A segment that begins at a cut of this part and goes on behind it: up to the part's end, whose tensor counts as whole.
  struct Tail {
    std::array<Share, kGrains> share;
    OverlapMap given_up;  // the largest tensor that its first operator reads, and who reads it, before rows of the part's
                          // output; nobody: nothing may lie over it
    std::array<OverlapReader, kReaders> readers;
    std::int32_t reader_count = 0;
  };
  /// The same segment, going on from the part's beginning to one of its cuts; without the tensor that the part reads.
  struct Head {
    std::array<Share, kGrains> share;
    OverlapMap written;      // the output of the operator before the cut
    MapProgress from_input;  // of the part's input before its rows
  };

  std::int32_t count = 0;
  std::array<std::array<std::int32_t, kOperators + 1>, kOperators + 1> path;  // least peak from cut to cut inside the part
  std::array<Tail, kOperators> tails;                                         // by cut
  std::array<Head, kOperators + 1> heads;                                     // by cut, from 1 on

  /// Least peak of the part by itself.
  [[nodiscard]] std::int32_t through() const { return path[0][static_cast<std::size_t>(count)]; }
};

/// Operators [first, first + count) of a graph that holds besides at most one operator before them and one behind, of
/// windows of 1 x 1 both: `first` is 0 (the image is the part's input, streamed where the options say so) or 1. `grains`:
/// rows, or rows and pixels. Throws InputError when there are more than ChainPart::kOperators or a tensor is too large.
[[nodiscard]] ChainPart make_chain_part(const ScheduleInput& input, std::int32_t first, std::int32_t count,
                                        std::span<const Grain> grains);

}  // namespace tinynas
