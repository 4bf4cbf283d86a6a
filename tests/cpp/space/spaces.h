// Spaces that the tests of several folders use.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "space/space.h"

namespace tinynas::testing {

/// The space of Lin et al. 2020 with 1000 classes, written out once more, independently of configs/spaces/mcunet.yaml.
inline SearchSpace mcunet_space() {
  SearchSpace space;
  space.name = "mcunet";
  for (std::int32_t r = 48; r <= 224; r += 16) space.resolutions.push_back(r);
  for (std::int32_t w = 2; w <= 10; ++w) space.widths.push_back(w / 10.0);
  space.stem = {32, 3, 2};
  space.first_block = {16, 3, 1, 1};
  const std::int32_t channels[] = {24, 40, 80, 96, 192, 320}, strides[] = {2, 2, 2, 1, 2, 1};
  for (int s = 0; s < 6; ++s) {
    Stage stage{channels[s], strides[s], {2, 3, 4}, {3, 5, 7}, {3, 4, 6}};
    if (s == 5) stage.depths = {1};
    space.stages.push_back(stage);
  }
  return space;
}

/// configs/spaces/cifar.yaml, written out once more.
inline SearchSpace cifar_space() {
  SearchSpace space;
  space.name = "cifar";
  space.classes = 10;
  space.resolutions = {24, 28, 32};
  space.widths = {0.5, 0.75, 1.0};
  space.stem = {16, 3, 1};
  space.first_block = {16, 3, 1, 1};
  space.stages = {{24, 2, {1, 2, 3}, {3, 5, 7}, {3, 4, 6}},
                  {40, 2, {2, 3, 4}, {3, 5, 7}, {3, 4, 6}},
                  {56, 1, {1, 2, 3}, {3, 5, 7}, {3, 4, 6}},
                  {96, 2, {1, 2}, {3, 5}, {3, 4, 6}}};
  return space;
}

/// Two stages on 8 and 9 pixel maps: small enough to check by hand.
inline SearchSpace tiny_space() {
  SearchSpace space;
  space.name = "tiny";
  space.classes = 2;
  space.resolutions = {8, 9};
  space.widths = {0.5, 1.0};
  space.stem = {16, 3, 2};
  space.first_block = {8, 3, 1, 1};
  space.stages = {{16, 2, {1, 2}, {3, 5}, {2, 3}}, {24, 1, {1}, {3}, {1, 4}}};
  return space;
}

inline std::filesystem::path shared_data() { return std::filesystem::path(TINYNAS_SOURCE_DIR) / "../shared/data"; }

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace tinynas::testing
