// JSON forms of a searcher's parts.
#pragma once

#include <nlohmann/json.hpp>

#include "search/searcher.h"
#include "space/json.h"
#include "space/json_reader.h"

namespace tinynas {

[[nodiscard]] nlohmann::json to_json(const Limits& limits);
/// Without `threads`, which changes no result.
[[nodiscard]] nlohmann::json to_json(const SearchOptions& options);
/// {"arch": {..}, "sram_bytes", "flash_bytes", "macs", "latency_us", "accuracy"}
[[nodiscard]] nlohmann::json to_json(const Candidate& candidate);
[[nodiscard]] Candidate candidate_from_json(const JsonReader& json);

/// InputError naming the first part in which a state's identity differs from this searcher's.
void check_identity(const nlohmann::json& state, const nlohmann::json& mine);

}  // namespace tinynas
