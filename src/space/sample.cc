#include "space/sample.h"

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

Arch extreme(const SearchSpace& space, std::int32_t resolution, double width, bool last) {
  const auto end = [last](const std::vector<std::int32_t>& choices) { return last ? choices.back() : choices.front(); };
  Arch arch{resolution, width, {}, {}};
  for (const Stage& stage : space.stages) {
    arch.depths.push_back(end(stage.depths));
    arch.blocks.insert(arch.blocks.end(), stage.depths.back(), {end(stage.kernels), end(stage.expansions)});
  }
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
  return child;
}

Arch crossover(const SearchSpace& space, const Arch& a, const Arch& b, Rng& rng, bool elastic) {
  Arch child = a;
  if (elastic && coin(rng)) child.resolution = b.resolution;
  if (elastic && coin(rng)) child.width = b.width;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    if (coin(rng)) child.depths[s] = b.depths[s];
  }
  for (std::size_t i = 0; i < child.blocks.size(); ++i) {
    if (coin(rng)) child.blocks[i] = b.blocks[i];
  }
  return child;
}

Arch largest(const SearchSpace& space, std::int32_t resolution, double width) {
  return extreme(space, resolution, width, true);
}

Arch smallest(const SearchSpace& space, std::int32_t resolution, double width) {
  return extreme(space, resolution, width, false);
}

}  // namespace tinynas
