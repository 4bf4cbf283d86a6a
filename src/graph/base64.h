// Base64 (RFC 4648, with padding), how the JSON form carries constants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinynas {

[[nodiscard]] std::string encode_base64(const std::vector<std::uint8_t>& bytes);
/// None when the text is no base64: wrong length, foreign characters, padding elsewhere than at the end.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

}  // namespace tinynas
