// JSON forms of spaces and points. Lossless; readers refuse unknown keys and throw InputError.
//
//   space  {"name", "input_channels", "classes", "divisor", "resolutions": [..], "widths": [..],
//           "stem": {"channels", "kernel", "stride"}, "first_block": {"channels", "kernel", "expansion", "stride"},
//           "stages": [{"channels", "stride", "depths": [..], "kernels": [..], "expansions": [..]}], "feature_mix"}
//   arch   {"resolution", "width", "depths": [..], "kernels": [..], "expansions": [..]}, the last two one entry per block
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "space/space.h"

namespace tinynas {

[[nodiscard]] nlohmann::json to_json(const SearchSpace& space);
[[nodiscard]] nlohmann::json to_json(const Arch& arch);

/// Validated (validate.h). `place` leads the messages.
[[nodiscard]] SearchSpace space_from_json(const nlohmann::json& json, const std::string& place = "space");
[[nodiscard]] SearchSpace parse_space(const std::string& text);

/// The lists' lengths agree; whether they fit a space is validate(space, arch)'s question.
[[nodiscard]] Arch arch_from_json(const nlohmann::json& json, const std::string& place = "arch");
[[nodiscard]] Arch parse_arch(const std::string& text);

}  // namespace tinynas
