// The published architectures, where the reference data lie beside the checkout.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "space/importer.h"

namespace tinynas::testing {

inline std::optional<std::string> read_reference(const std::string& path) {
  const char* elsewhere = std::getenv("TINYNAS_SHARED");
  const auto beside = std::filesystem::path(TINYNAS_SOURCE_DIR) / ".." / "shared";
  const auto file = (elsewhere != nullptr ? std::filesystem::path(elsewhere) : beside) / "data" / path;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// "mcunet-320kb-1mb_imagenet"; nullopt where the reference data are not there.
inline std::optional<Graph> published_network(const std::string& name) {
  const auto text = read_reference("mcunet/" + name + ".json");
  if (!text) return std::nullopt;
  return import_architecture(*text);
}

}  // namespace tinynas::testing
