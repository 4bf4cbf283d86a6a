#include "oracle/streaming/chain_cut.h"

#include <algorithm>

namespace tinynas {
namespace {

constexpr auto kNever = ChainPart::kNever;

AxisProgress after(const AxisProgress& before, const AxisProgress& then) {
  return {before.stride * then.stride, before.shift + before.stride * then.shift};
}

MapProgress after(const MapProgress& before, const MapProgress& then) {
  return {after(before.rows, then.rows), after(before.columns, then.columns)};
}

}  // namespace

std::int64_t ChainCut::least_peak(std::span<const PlacedPart> parts) {
  parts_ = parts;
  const auto count = parts.size();
  alone_.resize(count + 1);
  alone_[count] = 0;
  for (auto k = count; k-- > 0;) alone_[k] = std::max(alone_[k + 1], parts[k].through);
  peak_.assign(count + 1, kNever);
  inside_.resize(count);
  entered_.assign(count, 0);
  peak_[0] = 0;
  best_ = alone_[0];
  for (std::size_t k = 0; k < count; ++k) {
    if (peak_[k] < best_ || entered_[k] != 0) leave(k);
  }
  return best_;
}

void ChainCut::offer_boundary(std::size_t boundary, std::int32_t peak) {
  if (peak >= peak_[boundary]) return;
  peak_[boundary] = peak;
  best_ = std::min(best_, std::max(peak, alone_[boundary]));
}

/// Goes on from every cut of part k but its end.
void ChainCut::leave(std::size_t k) {
  offer_boundary(k + 1, std::max(peak_[k], parts_[k].through));
  if (peak_[k] < best_) reach_out(k, 0, peak_[k]);
  const auto& part = *parts_[k].part;
  const auto end = static_cast<std::size_t>(part.count);
  Inside peak;
  peak[0] = peak_[k];
  for (std::size_t cut = 1; cut < end; ++cut) {
    peak[cut] = entered_[k] != 0 ? inside_[k][cut] : kNever;
    for (std::size_t from = 0; from < cut; ++from) {
      peak[cut] = std::min(peak[cut], std::max(peak[from], part.path[from][cut]));
    }
    if (peak[cut] >= best_) continue;
    offer_boundary(k + 1, std::max(peak[cut], part.path[cut][end]));
    if (peak[cut] < best_) reach_out(k, cut, peak[cut]);
  }
}

/// Segments from a cut of part k to all cuts behind the part.
void ChainCut::reach_out(std::size_t k, std::size_t cut, std::int32_t peak) {
  const auto& tail = parts_[k].part->tails[cut];
  Reach reach{tail.share, {{1, 0}, {1, 0}}};
  for (auto b = k + 1; b < parts_.size(); ++b) {
    const auto& part = *parts_[b].part;
    offer_boundary(b + 1, std::max(peak_[b], parts_[b].through));
    end_inside(b, tail, reach, peak);
    const auto& whole = part.heads[static_cast<std::size_t>(part.count)];
    const auto enough = std::min(best_, peak_[b + 1]);
    if (peak < enough) offer_boundary(b + 1, peak_of(tail, reach, whole, {peak, enough}));
    if (!extend(whole, reach)) return;
  }
}

/// Of those the segments that end inside part b.
void ChainCut::end_inside(std::size_t b, const ChainPart::Tail& tail, const Reach& reach, std::int32_t peak) {
  const auto& part = *parts_[b].part;
  for (std::size_t cut = 1; cut < static_cast<std::size_t>(part.count); ++cut) {
    auto enough = std::min(best_, std::max(peak_[b], part.path[0][cut]));
    if (entered_[b] != 0) enough = std::min(enough, inside_[b][cut]);
    if (peak >= enough) continue;
    const auto found = peak_of(tail, reach, part.heads[cut], {peak, enough});
    if (found >= enough) continue;
    if (entered_[b] == 0) inside_[b].fill(kNever);
    entered_[b] = 1;
    inside_[b][cut] = found;
  }
}

/// Adds a whole part; false when no longer segment can be of use.
bool ChainCut::extend(const ChainPart::Head& head, Reach& reach) const {
  reach.progress = after(reach.progress, head.from_input);
  bool useful = false;
  for (std::size_t g = 0; g < reach.share.size(); ++g) {
    auto& sum = reach.share[g];
    const auto& more = head.share[g];
    sum.bytes = std::min(sum.bytes + more.bytes, kNever);
    sum.least += more.least;
    sum.accumulators += more.accumulators;
    sum.kernels = std::max(sum.kernels, more.kernels);
    useful |= sum.bytes < kNever && sum.least + sum.accumulators + sum.kernels < best_;
  }
  return useful;
}

/// The peak behind a segment that ends with `head`; exact where it is below what is enough.
std::int32_t ChainCut::peak_of(const ChainPart::Tail& tail, const Reach& reach, const ChainPart::Head& head, Offer offer) {
  auto least = kNever;
  for (std::size_t g = 0; g < reach.share.size(); ++g) {
    const auto& before = reach.share[g];
    const auto& then = head.share[g];
    const auto bytes =
        before.bytes + then.bytes + before.accumulators + then.accumulators + std::max(before.kernels, then.kernels);
    if (bytes <= offer.peak) return offer.peak;
    const auto most = tail.reader_count == 0 ? 0 : std::min(tail.given_up.bytes(), head.written.bytes());
    if (bytes - most >= std::min(offer.enough, least)) continue;
    if (most == 0) {
      least = bytes;
      continue;
    }
    std::array<OverlapReader, ChainPart::kReaders> readers = tail.readers;
    const auto done = after(reach.progress, head.from_input);
    for (auto& reader : readers) reader.done = after(reader.done, done);
    const auto saved = overlap_bytes({readers.data(), static_cast<std::size_t>(tail.reader_count)}, tail.given_up,
                                     head.written, g == 0 ? Grain::rows : Grain::pixels);
    least = std::min(least, static_cast<std::int32_t>(bytes - saved));
  }
  return std::max(least, offer.peak);
}

}  // namespace tinynas
