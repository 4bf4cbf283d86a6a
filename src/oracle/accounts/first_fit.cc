#include "oracle/accounts/first_fit.h"

#include <algorithm>
#include <numeric>

namespace tinynas {
namespace {

constexpr std::int64_t kAlignment = 4;

}  // namespace

std::int32_t FirstFit::add_block() {
  if (used_ == blocks_.size()) blocks_.emplace_back();
  auto& block = blocks_[used_];
  block.pieces.clear();
  block.bytes = block.offset = 0;
  block.lower = block.upper = 0;
  return static_cast<std::int32_t>(used_++);
}

void FirstFit::add_piece(std::int32_t block, std::int64_t bytes, std::int32_t lower, std::int32_t upper) {
  auto& b = blocks_[static_cast<std::size_t>(block)];
  if (b.pieces.empty()) b.lower = lower;
  b.pieces.push_back({(bytes + kAlignment - 1) / kAlignment * kAlignment, lower, upper});
  b.bytes = std::max(b.bytes, b.pieces.back().bytes);
  b.lower = std::min(b.lower, lower);
  b.upper = std::max(b.upper, upper);
}

void FirstFit::extend(std::int32_t block, std::int32_t upper) {
  auto& b = blocks_[static_cast<std::size_t>(block)];
  b.pieces.back().upper = std::max(b.pieces.back().upper, upper);
  b.upper = std::max(b.upper, upper);
}

/// The lowest offset, from block's own upwards, at which it misses `other`; block's own if it does already.
std::int64_t FirstFit::above(const Block& block, const Block& other) {
  auto offset = block.offset;
  for (const auto& mine : block.pieces) {
    for (const auto& piece : other.pieces) {
      const bool together = mine.lower < piece.upper && piece.lower < mine.upper;
      const auto end = other.offset + piece.bytes;
      if (together && offset < end && other.offset < offset + mine.bytes) offset = end;
    }
  }
  return offset;
}

std::int64_t FirstFit::place() {
  order_.resize(used_);
  std::iota(order_.begin(), order_.end(), 0);
  // By birth among equals; blocks are few, and sort, unlike stable_sort, allocates nothing.
  std::sort(order_.begin(), order_.end(), [&](std::int32_t a, std::int32_t b) {
    const auto x = blocks_[static_cast<std::size_t>(a)].bytes;
    const auto y = blocks_[static_cast<std::size_t>(b)].bytes;
    return x != y ? x > y : a < b;
  });
  std::int64_t peak = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    auto& block = blocks_[static_cast<std::size_t>(order_[i])];
    for (std::int64_t before = -1; before != block.offset;) {
      before = block.offset;
      for (std::size_t j = 0; j < i; ++j) {
        const auto& other = blocks_[static_cast<std::size_t>(order_[j])];
        if (other.lower < block.upper && block.lower < other.upper) block.offset = above(block, other);
      }
    }
    peak = std::max(peak, block.offset + block.bytes);
  }
  return peak;
}

std::int64_t FirstFit::live_bytes(std::int32_t op) const {
  std::int64_t live = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    std::int64_t most = 0;
    for (const auto& piece : blocks_[i].pieces) {
      if (piece.lower <= op && op < piece.upper) most = std::max(most, piece.bytes);
    }
    live += most;
  }
  return live;
}

}  // namespace tinynas
