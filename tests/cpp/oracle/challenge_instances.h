// Packing problems in the manner of the minimalloc challenge (Moffitt, ASPLOS 2023): hundreds of buffers, a capacity that is
// exactly enough.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "oracle/packing/planner.h"

namespace tinynas::testing {

struct Challenge {
  std::vector<PackItem> items;
  std::int64_t capacity = 1 << 20;
};

class ChallengeMaker {
 public:
  explicit ChallengeMaker(std::uint64_t seed) : random_(seed) {}

  /// A full rectangle of capacity x steps, cut into buffers: a solution without a free byte exists. Counts, steps and units
  /// vary by seed.
  Challenge cut() { return cut_into(between(100, 500), between(50, 2000)); }

  /// The same, a share of the buffers taken out again (sizes and lifetimes of the rest still come from one rectangle).
  Challenge cut_with_gaps() {
    auto challenge = cut();
    challenge.items.resize(challenge.items.size() * static_cast<std::size_t>(between(85, 97)) / 100);
    return challenge;
  }

  /// The same, a quarter of the lifetimes one step shorter.
  Challenge cut_and_shortened() {
    auto challenge = cut();
    for (auto& item : challenge.items) {
      if (between(0, 3) == 0 && item.upper - item.lower > 2) --item.upper;
    }
    return challenge;
  }

  /// Sizes and lifetimes with heavy tails, the capacity the most that is live: whether a solution exists is not known.
  Challenge heavy_tailed() {
    Challenge challenge;
    const auto count = between(150, 400);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto lower = static_cast<std::int32_t>(between(0, 400));
      const auto life = static_cast<std::int32_t>(std::min(200.0, 3 / unit()));
      const auto size = static_cast<std::int64_t>(1024 * std::exp(4.5 * unit()));
      challenge.items.push_back({size, lower, lower + std::max(1, life)});
    }
    challenge.capacity = max_live(challenge.items, 1);
    return challenge;
  }

  /// An arena that is full at every step: what ends leaves holes that are filled with new buffers of random size, most of
  /// them short-lived. No cut through the whole rectangle remains.
  Challenge refilled() {
    struct Block {
      std::int64_t low, high;
      std::int32_t born, dies;
    };
    Challenge challenge;
    const auto count = static_cast<std::size_t>(between(150, 300));
    const std::int64_t grain = std::int64_t{1} << between(0, 14);
    std::vector<Block> live;
    std::int32_t step = 0;
    const auto fill = [&](std::int64_t low, std::int64_t high) {
      while (low < high) {
        const auto grains = (high - low) / grain;
        const auto taken = grains <= 3 || between(0, 3) == 0 ? grains : between(1, grains);
        const auto life = 1 + static_cast<std::int32_t>(50 * std::pow(unit(), 3));
        live.push_back({low, low + taken * grain, step, step + life});
        low += taken * grain;
      }
    };
    const auto end = [&](const Block& block) { challenge.items.push_back({block.high - block.low, block.born, step}); };
    fill(0, challenge.capacity);
    while (challenge.items.size() + live.size() < count) {
      ++step;
      std::sort(live.begin(), live.end(), [](const Block& a, const Block& b) { return a.low < b.low; });
      std::vector<Block> before;
      before.swap(live);
      std::int64_t low = -1;
      for (const auto& block : before) {
        if (block.dies == step) {
          end(block);
          if (low < 0) low = block.low;
          continue;
        }
        if (low >= 0) fill(low, block.low);
        low = -1;
        live.push_back(block);
      }
      if (low >= 0) fill(low, challenge.capacity);
    }
    ++step;
    for (const auto& block : live) end(block);
    std::shuffle(challenge.items.begin(), challenge.items.end(), random_);
    return challenge;
  }

  Challenge cut_into(std::int64_t count, std::int64_t steps) {
    struct Rectangle {
      std::int64_t low, high, lower, upper;
    };
    Challenge challenge;
    const std::int64_t units[] = {1, 4, 1024};
    const auto grain = units[between(0, 2)];
    const bool largest_first = between(0, 1) == 1;
    std::vector<Rectangle> pieces{{0, challenge.capacity, 0, steps}};
    const auto area = [](const Rectangle& r) {
      return static_cast<double>(r.high - r.low) * static_cast<double>(r.upper - r.lower);
    };
    while (static_cast<std::int64_t>(pieces.size()) < count) {
      auto* piece = &pieces[draw(pieces.size())];
      for (int i = 0; largest_first && i < 3; ++i) {
        auto& other = pieces[draw(pieces.size())];
        if (area(other) > area(*piece)) piece = &other;
      }
      auto rest = *piece;
      if (between(0, 1) == 0) {
        const auto grains = (piece->high - piece->low) / grain;
        if (grains < 2) continue;
        piece->high = rest.low = piece->low + grain * between(1, grains - 1);
      } else {
        if (piece->upper - piece->lower < 2) continue;
        piece->upper = rest.lower = between(piece->lower + 1, piece->upper - 1);
      }
      pieces.push_back(rest);
    }
    for (const auto& r : pieces) {
      challenge.items.push_back({r.high - r.low, static_cast<std::int32_t>(r.lower), static_cast<std::int32_t>(r.upper)});
    }
    std::shuffle(challenge.items.begin(), challenge.items.end(), random_);
    return challenge;
  }

 private:
  std::size_t draw(std::size_t count) { return random_() % count; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  double unit() { return static_cast<double>(random_() % 10000 + 1) / 10000; }

  std::mt19937_64 random_;
};

}  // namespace tinynas::testing
