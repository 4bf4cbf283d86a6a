// Offsets for buffers with fixed lifetimes in one arena (dynamic storage allocation).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tinynas {

/// A buffer of `size` bytes, live during steps [lower, upper).
struct PackItem {
  std::int64_t size = 0;
  std::int32_t lower = 0, upper = 0;
};

struct Packing {
  std::vector<std::int64_t> offsets;  // parallel to the items, multiples of the alignment
  std::int64_t bytes = 0;             // max(offset + size)
  bool optimal = false;               // proved: no packing needs less
};

struct PackOptions {
  std::int64_t alignment = 4;
  std::int64_t node_limit = 20'000;  // of the exact search; 0: heuristics alone
};

/// The most bytes that are live at once, sizes rounded up to the alignment: no packing needs less.
[[nodiscard]] std::int64_t max_live(std::span<const PackItem> items, std::int64_t alignment = 4);

/// Places the items in the order given, each at the lowest gap that fits. Order: indices into `items`.
[[nodiscard]] Packing pack_in_order(std::span<const PackItem> items, std::span<const std::int32_t> order,
                                    std::int64_t alignment = 4);

/// The best of several greedy orders, then branch and bound down to the max-live bound.
[[nodiscard]] Packing pack(std::span<const PackItem> items, const PackOptions& options = {});

}  // namespace tinynas
