#include "space/validate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "graph/error.h"
#include "space/build_graph.h"

namespace tinynas {
namespace {

[[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& got) {
  throw InputError("[space] " + place + ": expected " + expected + ", got " + got);
}

void check_range(const std::string& place, std::int32_t value, std::int32_t low, std::int32_t high) {
  if (value < low || value > high) {
    fail(place, "a value from " + std::to_string(low) + " to " + std::to_string(high), std::to_string(value));
  }
}

void check_kernel(const std::string& place, std::int32_t kernel) {
  check_range(place, kernel, 1, kMaxKernel);
  if (kernel % 2 == 0) fail(place, "an odd kernel", std::to_string(kernel));
}

void check_width(const std::string& place, double width) {
  if (!std::isfinite(width) || width <= 0 || width > 16) fail(place, "a value above 0 and up to 16", std::to_string(width));
}

template <typename T>
void check_ascending(const std::string& place, const std::vector<T>& values) {
  if (values.empty()) fail(place, "at least one choice", "none");
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (!(values[i - 1] < values[i])) {
      fail(place, "ascending choices without duplicates",
           std::to_string(values[i]) + " after " + std::to_string(values[i - 1]));
    }
  }
}

void check_stage(const std::string& place, const Stage& stage, std::int32_t widest) {
  check_range(place + ".channels", stage.channels, 1, widest);
  check_range(place + ".stride", stage.stride, 1, 4);
  check_ascending(place + ".depths", stage.depths);
  check_ascending(place + ".kernels", stage.kernels);
  check_ascending(place + ".expansions", stage.expansions);
  for (const auto depth : stage.depths) check_range(place + ".depths", depth, 1, kMaxDepth);
  for (const auto kernel : stage.kernels) check_kernel(place + ".kernels", kernel);
  for (const auto expansion : stage.expansions) check_range(place + ".expansions", expansion, 1, kMaxExpansion);
}

void check_choice(const std::string& place, const BlockChoice& choice) {
  check_kernel(place + ".kernel", choice.kernel);
  check_range(place + ".expansion", choice.expansion, 1, kMaxExpansion);
}

template <typename T>
bool holds(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

void validate(const SearchSpace& space) {
  check_range("input_channels", space.input_channels, 1, kMaxChannels);
  check_range("classes", space.classes, 1, kMaxClasses);
  check_range("divisor", space.divisor, 1, 256);
  check_ascending("resolutions", space.resolutions);
  for (const auto resolution : space.resolutions) check_range("resolutions", resolution, 1, kMaxResolution);
  check_ascending("widths", space.widths);
  for (const auto width : space.widths) check_width("widths", width);
  const auto widest = static_cast<std::int32_t>(kMaxChannels / std::max(1.0, space.widths.back()));
  check_range("stem.channels", space.stem.channels, 1, widest);
  check_kernel("stem.kernel", space.stem.kernel);
  check_range("stem.stride", space.stem.stride, 1, 4);
  check_range("first_block.channels", space.first_block.channels, 1, widest);
  check_kernel("first_block.kernel", space.first_block.kernel);
  check_range("first_block.expansion", space.first_block.expansion, 1, kMaxExpansion);
  check_range("first_block.stride", space.first_block.stride, 1, 4);
  check_range("feature_mix", space.feature_mix, 0, widest);
  const auto wrong = std::adjacent_find(space.formats.begin(), space.formats.end(), std::greater_equal<>());
  if (space.formats.empty() || wrong != space.formats.end()) {
    fail("formats", "some of w8a8, w4a8, w4a4, in this order", space.formats.empty() ? "none" : "another order");
  }
  if (space.stages.empty()) fail("stages", "at least one stage", "none");
  if (space.stages.size() > kMaxDepth) fail("stages", "at most 64 stages", std::to_string(space.stages.size()));
  for (std::size_t s = 0; s < space.stages.size(); ++s) check_stage("stages." + std::to_string(s), space.stages[s], widest);
}

void validate(const SearchSpace& space, const Arch& arch) {
  check_range("arch.resolution", arch.resolution, 1, kMaxResolution);
  check_width("arch.width", arch.width);
  if (arch.depths.size() != space.stages.size()) {
    fail("arch.depths", std::to_string(space.stages.size()) + " entries (one per stage)",
         std::to_string(arch.depths.size()));
  }
  std::size_t blocks = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const std::int32_t deepest = space.stages[s].depths.back();
    check_range("arch.depths." + std::to_string(s), arch.depths[s], 1, deepest);
    blocks += static_cast<std::size_t>(deepest);
  }
  if (arch.blocks.size() != blocks) {
    fail("arch.blocks", std::to_string(blocks) + " entries (the largest depth of every stage)",
         std::to_string(arch.blocks.size()));
  }
  if (!arch.formats.empty() && arch.formats.size() != unit_count(arch)) {
    fail("arch.formats", std::to_string(unit_count(arch)) + " entries (first block, blocks, feature mix) or none",
         std::to_string(arch.formats.size()));
  }
  for (std::size_t i = 0; i < blocks; ++i) check_choice("arch.blocks." + std::to_string(i), arch.blocks[i]);
}

bool contains(const SearchSpace& space, const Arch& arch) {
  if (!holds(space.resolutions, arch.resolution) || !holds(space.widths, arch.width)) return false;
  if (arch.depths.size() != space.stages.size()) return false;
  std::size_t index = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const Stage& stage = space.stages[s];
    if (!holds(stage.depths, arch.depths[s])) return false;
    for (std::int32_t b = 0; b < stage.depths.back(); ++b, ++index) {
      if (index >= arch.blocks.size() || !holds(stage.kernels, arch.blocks[index].kernel) ||
          !holds(stage.expansions, arch.blocks[index].expansion)) {
        return false;
      }
    }
  }
  const bool formats = arch.formats.empty() ? holds(space.formats, Format::w8a8)
                                            : arch.formats.size() == unit_count(arch) &&
                                                  std::all_of(arch.formats.begin(), arch.formats.end(),
                                                              [&](Format format) { return holds(space.formats, format); });
  return formats && index == arch.blocks.size();
}

}  // namespace tinynas
