#include "space/json_reader.h"

#include <algorithm>
#include <cmath>

#include "graph/error.h"

namespace tinynas {

nlohmann::json parse_json(const std::string& text, const std::string& what) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw InputError("[" + what + "] not valid JSON: " + error.what());
  }
}

void JsonReader::fail(const std::string& expected) const {
  std::string got = value_.type_name();
  if (value_.is_primitive() && !value_.is_null()) {
    std::string text = value_.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    got = text;
  }
  throw InputError(place_ + ": expected " + expected + ", got " + got);
}

void JsonReader::only(std::initializer_list<const char*> keys) const {
  if (!value_.is_object()) fail("an object");
  for (const auto& [key, unused] : value_.items()) {
    const bool known = std::any_of(keys.begin(), keys.end(), [&k = key](const char* name) { return k == name; });
    if (known) continue;
    std::string list;
    for (const char* name : keys) list += (list.empty() ? "" : ", ") + std::string(name);
    throw InputError(place_ + ": expected only the keys " + list + ", got " + key.substr(0, 60));
  }
}

JsonReader JsonReader::field(const std::string& key) const {
  if (!value_.is_object()) fail("an object");
  const auto found = value_.find(key);
  if (found == value_.end()) throw InputError(place_ + ": expected the key " + key + ", got none");
  return {*found, place_ + "." + key};
}

std::optional<JsonReader> JsonReader::optional_field(const std::string& key) const {
  if (!value_.is_object()) fail("an object");
  const auto found = value_.find(key);
  if (found == value_.end() || found->is_null()) return std::nullopt;
  return JsonReader(*found, place_ + "." + key);
}

std::vector<JsonReader> JsonReader::items() const {
  if (!value_.is_array()) fail("a list");
  std::vector<JsonReader> result;
  result.reserve(value_.size());
  for (std::size_t i = 0; i < value_.size(); ++i) result.emplace_back(value_[i], place_ + "." + std::to_string(i));
  return result;
}

std::int64_t JsonReader::integer(std::int64_t low, std::int64_t high) const {
  const std::string expected = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  std::int64_t number = 0;
  if (value_.is_number_unsigned()) {
    const auto big = value_.get<std::uint64_t>();
    if (big > static_cast<std::uint64_t>(INT64_MAX)) fail(expected);
    number = static_cast<std::int64_t>(big);
  } else if (value_.is_number_integer()) {
    number = value_.get<std::int64_t>();
  } else if (value_.is_number_float()) {
    const double real = value_.get<double>();
    if (!(std::abs(real) < 9e15) || real != std::floor(real)) fail(expected);
    number = static_cast<std::int64_t>(real);
  } else {
    fail(expected);
  }
  if (number < low || number > high) fail(expected);
  return number;
}

std::uint64_t JsonReader::uint64() const {
  if (!value_.is_number_unsigned()) fail("a whole number, not negative");
  return value_.get<std::uint64_t>();
}

double JsonReader::number() const {
  if (!value_.is_number()) fail("a number");
  return value_.get<double>();
}

std::string JsonReader::string() const {
  if (!value_.is_string()) fail("a text");
  return value_.get<std::string>();
}

bool JsonReader::boolean() const {
  if (!value_.is_boolean()) fail("true or false");
  return value_.get<bool>();
}

std::vector<std::int32_t> JsonReader::int32_list(std::int32_t low, std::int32_t high) const {
  std::vector<std::int32_t> result;
  for (const JsonReader& item : items()) result.push_back(item.int32(low, high));
  return result;
}

std::vector<double> JsonReader::number_list() const {
  std::vector<double> result;
  for (const JsonReader& item : items()) result.push_back(item.number());
  return result;
}

}  // namespace tinynas
