// Offsets for buffers with fixed lifetimes in one arena (dynamic storage allocation).
//
// `pack` tries a few greedy orders; where they miss the max-live bound, it goes on with what the options allow: an exact
// search for the capacity (skyline.h), repeated greedy placement in which the buffers that ended highest move forward in the
// order ("squeaky wheel"), and branch and bound.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tinynas {

/// A buffer of `size` bytes, live during steps [lower, upper).
struct PackItem {
  std::int64_t size = 0;
  std::int32_t lower = 0, upper = 0;
};

/// Two items live together that may share bytes: `above` may begin as little as `distance` bytes after the start of `below`
/// (which is written from its start on while `above` is given up from its start on), instead of the size of `below`.
struct PackOverlap {
  std::int32_t below = 0, above = 0;  // indices into the items
  std::int64_t distance = 0;
};

struct Packing {
  std::vector<std::int64_t> offsets;  // parallel to the items, multiples of the alignment
  std::int64_t bytes = 0;             // max(offset + size)
  bool optimal = false;               // proved: no packing needs less (or none needs at most the capacity asked for)
};

struct PackOptions {
  std::int64_t alignment = 4;
  std::int64_t capacity = 0;         // good enough: stop at or below it; 0: the least possible
  std::int64_t repairs = 200;        // rounds of squeaky wheel
  std::int64_t node_limit = 20'000;  // of branch and bound
  double time_limit_s = 0;  // above 0: the search goes on until then; without overlaps the exact one (fit.h) comes first
  int threads = 0;          // of the exact search; below 1: all
};

/// The most bytes that are live at once, sizes rounded up to the alignment, less what overlaps save: no packing needs less.
[[nodiscard]] std::int64_t max_live(std::span<const PackItem> items, std::int64_t alignment = 4,
                                    std::span<const PackOverlap> overlaps = {});

/// Places the items in the order given, each at the lowest gap that fits. Order: indices into `items`.
[[nodiscard]] Packing pack_in_order(std::span<const PackItem> items, std::span<const std::int32_t> order,
                                    std::int64_t alignment = 4);

/// The best packing found. Throws InputError for an item that is empty in time or negative in size.
[[nodiscard]] Packing pack(std::span<const PackItem> items, const PackOptions& options = {},
                           std::span<const PackOverlap> overlaps = {});

}  // namespace tinynas
