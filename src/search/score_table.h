// Scores of a space's networks from tables: everything that a block contributes is worked out once per (resolution, width,
// stage, choice) by the oracle itself on that block alone; a candidate is then a walk over records, and nothing is
// allocated for it.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "oracle/oracle.h"
#include "search/limits.h"
#include "space/space.h"

namespace tinynas {

class ScoreTable {
 public:
  /// Tables exist for the built-in schedules `tinyengine` and `streaming`: preferring speed (rings of rows), preferring
  /// memory (rings of rows and pixels) where no block of stride > 1 can have expansion 1. nullptr for any other oracle.
  [[nodiscard]] static std::unique_ptr<ScoreTable> make(const SearchSpace& space, const Oracle& oracle);
  ~ScoreTable();

  /// The network's score; `arch` must be a point of the space (contains() of space/validate.h). From any thread.
  /// `streaming`: `sram_bytes` is the peak of the best partition; the plan's arena is never below it, and above it only
  /// where the packer cannot place the segments' ends without a gap; preferring memory, small maps may need up to 2 % less
  /// than the formulas of their rings say. `flash_bytes` is what the core's packing takes, less what depends on the plan
  /// (the portable packing of segments of pixels counts where it is smaller), `latency_us` an estimate from the parts alone.
  /// `tinyengine`: what the oracle says.
  [[nodiscard]] Score score(const Arch& arch) const;

  /// Whether all figures are the oracle's own; else `sram_bytes` and `flash_bytes` are lower bounds of them.
  [[nodiscard]] bool exact() const { return !streaming_; }

  /// Whether `sram_bytes` is far below the oracle's figure where memory is plentiful: speed preferred on a core that gains
  /// by steps of several rows. A plan then fits a limit that the options state when this figure does.
  [[nodiscard]] bool least() const { return least_; }

 private:
  struct Part;                         // operators that always stand together: the stem, a block with its choices, the head
  struct StageParts;                   // the parts that a stage chooses from
  struct Subspace;                     // all parts of one resolution and width
  struct Walk;                         // a thread's working memory
  using Variants = std::vector<Part>;  // a part by its format, then by the bits in which the next one reads its output
  class Builder;                       // makes a subspace

  ScoreTable(const SearchSpace& space, const Oracle& oracle, const ScheduleOptions& options);
  [[nodiscard]] bool maps_of_4_bits() const;
  [[nodiscard]] std::size_t variant(Format own, std::int32_t next_bits) const;
  [[nodiscard]] const Subspace& subspace_of(const Arch& arch) const;
  [[nodiscard]] std::int64_t sram_bytes(const Subspace& subspace, Walk& walk) const;

  SearchSpace space_;
  const Oracle& oracle_;
  ScheduleOptions options_;
  bool streaming_ = false, least_ = false;
  std::vector<std::unique_ptr<Subspace>> subspaces_;  // by resolution, then width
};

/// Scores in the order of `archs`, on `threads` threads (below 1: all).
[[nodiscard]] std::vector<Score> score_all(const ScoreTable& table, std::span<const Arch> archs, int threads = 0);

}  // namespace tinynas
