#include "space/build_graph.h"

#include <algorithm>
#include <string>
#include <utility>

#include "space/network_builder.h"

namespace tinynas {

std::int32_t make_divisible(double value, std::int32_t divisor) {
  const auto rounded = static_cast<std::int32_t>(value + divisor / 2.0) / divisor * divisor;
  const std::int32_t result = std::max(divisor, rounded);
  return result < 0.9 * value ? result + divisor : result;
}

std::int32_t scaled_channels(const SearchSpace& space, std::int32_t channels, double width) {
  return make_divisible(channels * width, space.divisor);
}

std::int32_t mid_channels(const SearchSpace& space, std::int32_t in, std::int32_t expansion) {
  return expansion == 1 ? in : make_divisible(in * expansion, space.divisor);
}

std::int32_t first_block_of(const SearchSpace& space, std::int32_t stage) {
  std::int32_t first = 0;
  for (std::int32_t s = 0; s < stage; ++s) first += space.stages[s].depths.back();
  return first;
}

void append_block(NetworkBuilder& net, const SearchSpace& space, const std::string& prefix, const BlockChoice& choice,
                  BlockPlace place) {
  const std::int32_t in = net.channels();
  net.bottleneck(prefix, {.kernel = choice.kernel,
                          .stride = place.stride,
                          .mid = mid_channels(space, in, choice.expansion),
                          .out = place.out,
                          .expand = choice.expansion != 1,
                          .residual = place.stride == 1 && in == place.out});
}

void append_head(NetworkBuilder& net, const SearchSpace& space, double width) {
  if (space.feature_mix > 0) {
    net.conv("feature_mix", scaled_channels(space, space.feature_mix, width), 1, 1, Activation::relu6);
  }
  net.global_pool("pool");
  net.classifier("classifier", space.classes);
}

Format format_of(const Arch& arch, std::size_t unit) { return arch.formats.empty() ? Format::w8a8 : arch.formats[unit]; }

namespace {

struct Built {
  Graph graph;
  std::vector<Format> formats;  // by operator
};

Built build(const SearchSpace& space, const Arch& arch) {
  std::vector<Format> formats;
  NetworkBuilder net(space.name, arch.resolution, space.input_channels);
  net.reserve(4 * (arch.blocks.size() + 1) + 4);
  net.conv("stem", scaled_channels(space, space.stem.channels, arch.width), space.stem.kernel, space.stem.stride,
           Activation::relu6);
  formats.resize(net.operators(), Format::w8a8);
  const FirstBlock& first = space.first_block;
  append_block(net, space, "first.", {first.kernel, first.expansion},
               {first.stride, scaled_channels(space, first.channels, arch.width)});
  formats.resize(net.operators(), format_of(arch, 0));
  std::size_t index = 0;
  for (std::size_t s = 0; s < space.stages.size(); ++s) {
    const Stage& stage = space.stages[s];
    const std::int32_t out = scaled_channels(space, stage.channels, arch.width);
    const std::string prefix = "stages." + std::to_string(s) + ".blocks.";
    for (std::int32_t b = 0; b < arch.depths[s]; ++b) {
      append_block(net, space, prefix + std::to_string(b) + ".", arch.blocks[index + b], {b == 0 ? stage.stride : 1, out});
      formats.resize(net.operators(), format_of(arch, 1 + index + static_cast<std::size_t>(b)));
    }
    index += stage.depths.back();
  }
  append_head(net, space, arch.width);
  formats.resize(net.operators(), format_of(arch, unit_count(arch) - 1));
  formats.back() = Format::w8a8;  // the classifier
  return {net.take(), std::move(formats)};
}

}  // namespace

std::vector<Format> operator_formats(const SearchSpace& space, const Arch& arch) { return build(space, arch).formats; }

Graph build_graph(const SearchSpace& space, const Arch& arch) {
  Built built = build(space, arch);
  return arch.formats.empty() ? std::move(built.graph) : in_formats(std::move(built.graph), built.formats);
}

}  // namespace tinynas
