// Architectures from files: the published MCUNet / ProxylessNAS / MobileNetV2 JSON, and our own arch.json.
#pragma once

#include <string>

#include "graph/graph.h"
#include "space/space.h"

namespace tinynas {

/// Our own file: a point together with its space.
///   {"space": {..}, "arch": {..}} (json.h); further keys beside the two are kept for readers such as reports and ignored
///   here.
struct SpacePoint {
  SearchSpace space;
  Arch arch;
};

/// Throws InputError for bad JSON or a point that does not fit its space.
[[nodiscard]] SpacePoint parse_space_point(const std::string& text);
[[nodiscard]] std::string to_json_text(const SpacePoint& point);

/// Either file as a sizes-only int8 graph; which one is told by its keys. Published blocks are named
/// blocks.I.{expand,depthwise, project,add}, the rest as in build_graph.h. `resolution` replaces the file's when above 0.
/// Throws InputError for hostile or unsupported content, naming the place.
[[nodiscard]] Graph import_architecture(const std::string& text, std::int32_t resolution = 0);

}  // namespace tinynas
