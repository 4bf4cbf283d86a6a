#include "search/features.h"

#include <algorithm>

#include "graph/error.h"
#include "space/build_graph.h"
#include "space/validate.h"

namespace tinynas {
namespace {

void append_one_hot(const std::vector<std::int32_t>& choices, std::int32_t value, bool used, std::vector<float>& out) {
  for (const auto choice : choices) out.push_back(used && choice == value ? 1.0F : 0.0F);
}

template <typename T>
float scaled(const std::vector<T>& choices, T value) {
  const auto low = static_cast<double>(choices.front()), high = static_cast<double>(choices.back());
  return high > low ? static_cast<float>((static_cast<double>(value) - low) / (high - low)) : 0.0F;
}

void append_formats(const SearchSpace& space, const Arch& arch, std::vector<float>& out) {
  const auto append = [&](std::size_t unit, bool used) {
    const Format format = format_of(arch, unit);
    out.push_back(used && weight_bits(format) == 4 ? 1.0F : 0.0F);
    out.push_back(used && input_bits(format) == 4 ? 1.0F : 0.0F);
  };
  append(0, true);
  std::size_t unit = 1;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    for (std::int32_t b = 0; b < space.stages[s].depths.back(); ++b, ++unit) append(unit, b < arch.depths[s]);
  }
  append(unit, space.feature_mix > 0);
}

}  // namespace

std::size_t feature_count(const SearchSpace& space) {
  std::size_t count = 2;
  for (const Stage& stage : space.stages) {
    count += static_cast<std::size_t>(stage.depths.back()) * (stage.kernels.size() + stage.expansions.size());
  }
  const std::size_t units = first_block_of(space, static_cast<std::int32_t>(space.stages.size())) + 2;
  return count + (space.formats.size() > 1 ? 2 * units : 0);
}

std::vector<float> features(const SearchSpace& space, const Arch& arch) {
  if (!contains(space, arch))
    throw InputError("[predictor] arch: expected a point of space " + space.name + ", got another");
  std::vector<float> out;
  out.reserve(feature_count(space));
  std::size_t index = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const Stage& stage = space.stages[s];
    for (std::int32_t b = 0; b < stage.depths.back(); ++b, ++index) {
      append_one_hot(stage.kernels, arch.blocks[index].kernel, b < arch.depths[s], out);
      append_one_hot(stage.expansions, arch.blocks[index].expansion, b < arch.depths[s], out);
    }
  }
  out.push_back(scaled(space.resolutions, arch.resolution));
  out.push_back(scaled(space.widths, arch.width));
  if (space.formats.size() > 1) append_formats(space, arch, out);
  return out;
}

}  // namespace tinynas
