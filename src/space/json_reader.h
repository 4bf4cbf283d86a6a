// Reading JSON from outside: every access names its place and throws InputError instead of crashing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace tinynas {

/// The document of `text`; InputError naming `what` when it is not JSON.
[[nodiscard]] nlohmann::json parse_json(const std::string& text, const std::string& what);

/// A value and where it stands ("space.stages.2.channels"). Refers to the document, which must outlive it.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& value, std::string place) : value_(value), place_(std::move(place)) {}

  /// Refuses keys that are not listed.
  void only(std::initializer_list<const char*> keys) const;
  [[nodiscard]] JsonReader field(const std::string& key) const;
  /// Absent and null are the same.
  [[nodiscard]] std::optional<JsonReader> optional_field(const std::string& key) const;
  [[nodiscard]] std::vector<JsonReader> items() const;

  /// A whole number; one written as 2.0 counts.
  [[nodiscard]] std::int64_t integer(std::int64_t low, std::int64_t high) const;
  [[nodiscard]] std::int32_t int32(std::int32_t low, std::int32_t high) const {
    return static_cast<std::int32_t>(integer(low, high));
  }
  [[nodiscard]] std::uint64_t uint64() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] std::string string() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::vector<std::int32_t> int32_list(std::int32_t low, std::int32_t high) const;
  [[nodiscard]] std::vector<double> number_list() const;

  [[nodiscard]] const nlohmann::json& raw() const { return value_; }
  [[nodiscard]] const std::string& place() const { return place_; }
  /// Throws InputError: "<place>: expected <expected>, got <the value, shortened>".
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  const nlohmann::json& value_;
  std::string place_;
};

}  // namespace tinynas
