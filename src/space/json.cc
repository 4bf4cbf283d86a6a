#include "space/json.h"

#include "graph/error.h"
#include "space/json_reader.h"
#include "space/validate.h"

namespace tinynas {
namespace {

constexpr std::int32_t kAny = 1 << 20;  // coarse bound of any size; validate() has the exact ones

std::int32_t size_of(const JsonReader& object, const char* key) { return object.field(key).int32(0, kAny); }

std::int32_t size_or(const JsonReader& object, const char* key, std::int32_t otherwise) {
  const auto field = object.optional_field(key);
  return field ? field->int32(0, kAny) : otherwise;
}

Stage read_stage(const JsonReader& json) {
  json.only({"channels", "stride", "depths", "kernels", "expansions"});
  return {size_of(json, "channels"), size_or(json, "stride", 1), json.field("depths").int32_list(0, kAny),
          json.field("kernels").int32_list(0, kAny), json.field("expansions").int32_list(0, kAny)};
}

Stem read_stem(const JsonReader& json) {
  json.only({"channels", "kernel", "stride"});
  return {size_of(json, "channels"), size_or(json, "kernel", 3), size_or(json, "stride", 2)};
}

FirstBlock read_first_block(const JsonReader& json) {
  json.only({"channels", "kernel", "expansion", "stride"});
  return {size_of(json, "channels"), size_or(json, "kernel", 3), size_or(json, "expansion", 1), size_or(json, "stride", 1)};
}

std::vector<Format> read_formats(const JsonReader& json) {
  std::vector<Format> formats;
  for (const JsonReader& item : json.items()) {
    const auto format = parse_format(item.string());
    if (!format) item.fail("w8a8, w4a8 or w4a4");
    formats.push_back(*format);
  }
  return formats;
}

}  // namespace

nlohmann::json to_json(const SearchSpace& space) {
  nlohmann::json stages = nlohmann::json::array();
  for (const Stage& stage : space.stages) {
    stages.push_back({{"channels", stage.channels},
                      {"stride", stage.stride},
                      {"depths", stage.depths},
                      {"kernels", stage.kernels},
                      {"expansions", stage.expansions}});
  }
  const FirstBlock& first = space.first_block;
  nlohmann::json json = {
      {"name", space.name},
      {"input_channels", space.input_channels},
      {"classes", space.classes},
      {"divisor", space.divisor},
      {"resolutions", space.resolutions},
      {"widths", space.widths},
      {"stem", {{"channels", space.stem.channels}, {"kernel", space.stem.kernel}, {"stride", space.stem.stride}}},
      {"first_block",
       {{"channels", first.channels}, {"kernel", first.kernel}, {"expansion", first.expansion}, {"stride", first.stride}}},
      {"stages", stages},
      {"feature_mix", space.feature_mix}};
  if (space.formats != SearchSpace().formats) json["formats"] = format_names(space.formats);
  return json;
}

nlohmann::json to_json(const Arch& arch) {
  std::vector<std::int32_t> kernels, expansions;
  for (const BlockChoice& block : arch.blocks) {
    kernels.push_back(block.kernel);
    expansions.push_back(block.expansion);
  }
  nlohmann::json json = {{"resolution", arch.resolution},
                         {"width", arch.width},
                         {"depths", arch.depths},
                         {"kernels", kernels},
                         {"expansions", expansions}};
  if (!arch.formats.empty()) json["formats"] = format_names(arch.formats);
  return json;
}

SearchSpace space_from_json(const nlohmann::json& json, const std::string& place) {
  const JsonReader reader(json, place);
  reader.only({"name", "input_channels", "classes", "divisor", "resolutions", "widths", "stem", "first_block", "stages",
               "feature_mix", "formats"});
  SearchSpace space;
  space.name = reader.field("name").string();
  space.input_channels = size_or(reader, "input_channels", 3);
  space.classes = size_or(reader, "classes", 1000);
  space.divisor = size_or(reader, "divisor", 8);
  space.resolutions = reader.field("resolutions").int32_list(0, kAny);
  space.widths = reader.field("widths").number_list();
  space.stem = read_stem(reader.field("stem"));
  space.first_block = read_first_block(reader.field("first_block"));
  for (const JsonReader& stage : reader.field("stages").items()) space.stages.push_back(read_stage(stage));
  space.feature_mix = size_or(reader, "feature_mix", 0);
  if (const auto formats = reader.optional_field("formats")) space.formats = read_formats(*formats);
  validate(space);
  return space;
}

SearchSpace parse_space(const std::string& text) { return space_from_json(parse_json(text, "space")); }

Arch arch_from_json(const nlohmann::json& json, const std::string& place) {
  const JsonReader reader(json, place);
  reader.only({"resolution", "width", "depths", "kernels", "expansions", "formats"});
  Arch arch{size_of(reader, "resolution"), reader.field("width").number(), reader.field("depths").int32_list(0, kAny), {}};
  const auto kernels = reader.field("kernels").int32_list(0, kAny);
  const auto expansions = reader.field("expansions").int32_list(0, kAny);
  if (kernels.size() != expansions.size()) {
    throw InputError(place + ": expected as many kernels as expansions, got " + std::to_string(kernels.size()) + " and " +
                     std::to_string(expansions.size()));
  }
  for (std::size_t i = 0; i < kernels.size(); ++i) arch.blocks.push_back({kernels[i], expansions[i]});
  if (const auto formats = reader.optional_field("formats")) arch.formats = read_formats(*formats);
  return arch;
}

Arch parse_arch(const std::string& text) { return arch_from_json(parse_json(text, "arch")); }

}  // namespace tinynas
