#include "space/sample.h"

#include <string>

#include "graph/error.h"
#include "space/build_graph.h"

namespace tinynas {
namespace {

template <typename T>
const T& pick(const std::vector<T>& choices, Rng& rng) {
  return choices[rng.below(static_cast<std::uint32_t>(choices.size()))];
}

BlockChoice draw_block(const Stage& stage, Rng& rng) {
  BlockChoice block;
  block.kernel = pick(stage.kernels, rng);
  block.expansion = pick(stage.expansions, rng);
  return block;
}

bool coin(Rng& rng) { return rng.below(2) == 0; }

bool has_formats(const SearchSpace& space) { return space.formats.size() > 1 || space.formats.front() != Format::w8a8; }

/// Of a point of the space: one format for each of its units, none where all points have 8 bits.
std::vector<Format> all_formats(const SearchSpace& space, const Arch& arch, Format format) {
  return has_formats(space) ? std::vector<Format>(unit_count(arch), format) : std::vector<Format>();
}

std::vector<Format> draw_formats(const SearchSpace& space, const Arch& arch, Rng& rng) {
  if (space.formats.size() == 1) return all_formats(space, arch, space.formats.front());
  if (coin(rng)) return all_formats(space, arch, pick(space.formats, rng));
  std::vector<Format> formats;
  for (std::size_t unit = 0; unit < unit_count(arch); ++unit) formats.push_back(pick(space.formats, rng));
  return formats;
}

Arch extreme(const SearchSpace& space, std::int32_t resolution, double width, bool last) {
  const auto end = [last](const std::vector<std::int32_t>& choices) { return last ? choices.back() : choices.front(); };
  Arch arch{resolution, width, {}, {}};
  for (const Stage& stage : space.stages) {
    arch.depths.push_back(end(stage.depths));
    arch.blocks.insert(arch.blocks.end(), stage.depths.back(), {end(stage.kernels), end(stage.expansions)});
  }
  arch.formats = all_formats(space, arch, last ? space.formats.front() : space.formats.back());
  return arch;
}

}  // namespace

Arch sample(const SearchSpace& space, std::int32_t resolution, double width, Rng& rng) {
  Arch arch{resolution, width, {}, {}};
  arch.depths.reserve(space.stages.size());
  for (const Stage& stage : space.stages) {
    arch.depths.push_back(pick(stage.depths, rng));
    for (std::int32_t b = 0; b < stage.depths.back(); ++b) arch.blocks.push_back(draw_block(stage, rng));
  }
  arch.formats = draw_formats(space, arch, rng);
  return arch;
}

Arch mutate(const SearchSpace& space, const Arch& arch, double p, Rng& rng, bool elastic) {
  Arch child = arch;
  if (elastic && rng.uniform() < p) child.resolution = pick(space.resolutions, rng);
  if (elastic && rng.uniform() < p) child.width = pick(space.widths, rng);
  std::size_t index = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const Stage& stage = space.stages[s];
    if (rng.uniform() < p) child.depths[s] = pick(stage.depths, rng);
    for (std::int32_t b = 0; b < stage.depths.back(); ++b, ++index) {
      if (rng.uniform() < p) child.blocks[index] = draw_block(stage, rng);
    }
  }
  if (space.formats.size() > 1) {
    for (Format& format : child.formats) {
      if (rng.uniform() < p) format = pick(space.formats, rng);
    }
  }
  return child;
}

Arch crossover(const SearchSpace& space, const Arch& a, const Arch& b, Rng& rng, bool elastic) {
  Arch child = a;
  if (child.formats.size() != b.formats.size()) {
    throw InputError("[space] crossover: expected two points of one space, got " + std::to_string(a.formats.size()) +
                     " and " + std::to_string(b.formats.size()) + " formats");
  }
  if (elastic && coin(rng)) child.resolution = b.resolution;
  if (elastic && coin(rng)) child.width = b.width;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    if (coin(rng)) child.depths[s] = b.depths[s];
  }
  for (std::size_t i = 0; i < child.blocks.size(); ++i) {
    if (!coin(rng)) continue;
    child.blocks[i] = b.blocks[i];
    if (!b.formats.empty()) child.formats[1 + i] = b.formats[1 + i];
  }
  if (!b.formats.empty() && coin(rng)) child.formats.front() = b.formats.front();
  if (!b.formats.empty() && coin(rng)) child.formats.back() = b.formats.back();
  return child;
}

Arch largest(const SearchSpace& space, std::int32_t resolution, double width) {
  return extreme(space, resolution, width, true);
}

Arch smallest(const SearchSpace& space, std::int32_t resolution, double width) {
  return extreme(space, resolution, width, false);
}

}  // namespace tinynas
