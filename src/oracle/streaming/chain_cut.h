// The least peak over all cuts of a network that is put together from parts.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "oracle/streaming/chain_part.h"

namespace tinynas {

/// A part in its place. `through` is the part's own, kept beside it because most parts need not be looked at further.
struct PlacedPart {
  const ChainPart* part = nullptr;
  std::int32_t through = 0;
};

/// The minimax of streaming.h, cut by cut from the front. Where the peak so far is no less than any part behind takes by
/// itself, the rest of the network is done. Nothing is allocated once the longest network has been seen.
class ChainCut {
 public:
  [[nodiscard]] std::int64_t least_peak(std::span<const PlacedPart> parts);

 private:
  /// A segment from a cut to the end of a later part: its sums so far.
  struct Reach {
    std::array<ChainPart::Share, ChainPart::kGrains> share;
    MapProgress progress;  // of the output of its first part before rows of the last one's
  };
  struct Offer {
    std::int32_t peak;    // before the segment
    std::int32_t enough;  // what there is already
  };
  using Inside = std::array<std::int32_t, ChainPart::kOperators>;

  void leave(std::size_t k);
  void reach_out(std::size_t k, std::size_t cut, std::int32_t peak);
  void end_inside(std::size_t b, const ChainPart::Tail& tail, const Reach& reach, std::int32_t peak);
  [[nodiscard]] bool extend(const ChainPart::Head& head, Reach& reach) const;
  [[nodiscard]] std::int32_t peak_of(const ChainPart::Tail& tail, const Reach& reach, const ChainPart::Head& head,
                                     Offer offer);
  void offer_boundary(std::size_t boundary, std::int32_t peak);

  std::span<const PlacedPart> parts_;
  std::int32_t best_ = 0;
  std::vector<std::int32_t> alone_;    // by boundary: the most that a part behind it takes by itself
  std::vector<std::int32_t> peak_;     // by boundary: the least so far
  std::vector<Inside> inside_;         // by part: the least at the cuts inside it, of segments from before the part
  std::vector<std::uint8_t> entered_;  // by part: whether there are such
};

}  // namespace tinynas
