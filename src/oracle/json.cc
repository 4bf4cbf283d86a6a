#include "oracle/json.h"

#include <nlohmann/json.hpp>

#include "graph/error.h"

namespace tinynas {
namespace {

using Json = nlohmann::ordered_json;

/// One list of fields behind both directions.
template <class Segment, class F>
void visit_segment(Segment& segment, F&& f) {
  f("operators", segment.operators);
  f("rows_at_once", segment.rows_at_once);
  f("scratch", segment.scratch);
}

template <class Buffer, class F>
void visit_buffer(Buffer& buffer, F&& f) {
  f("tensor", buffer.tensor);
  f("rows", buffer.rows);
  f("row_bytes", buffer.row_bytes);
  f("pixels", buffer.pixels);
  f("offset", buffer.offset);
  f("bytes", buffer.bytes);
  f("first_segment", buffer.first_segment);
  f("last_segment", buffer.last_segment);
  f("shares_with", buffer.shares_with);
}

template <class Plan, class F>
void visit_plan(Plan& plan, F&& f) {
  f("schedule", plan.schedule);
  f("image_streamed", plan.image_streamed);
  f("arena_bytes", plan.arena_bytes);
  f("scratch_bytes", plan.scratch_bytes);
  f("peak_operator", plan.peak_operator);
}

const char* layout_name(Layout layout) { return layout == Layout::planar ? "planar" : "nhwc"; }

const char* grain_name(Grain grain) { return grain == Grain::pixels ? "pixels" : "rows"; }

Grain parse_grain(const std::string& name) {
  if (name == "rows") return Grain::rows;
  if (name == "pixels") return Grain::pixels;
  throw InputError("[plan] grain '" + name + "': expected rows or pixels");
}

Layout parse_layout(const std::string& name) {
  if (name == "nhwc") return Layout::nhwc;
  if (name == "planar") return Layout::planar;
  throw InputError("[plan] layout '" + name + "': expected nhwc or planar");
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  Json json;
  const auto put_into = [](Json& object) { return [&object](const char* key, const auto& value) { object[key] = value; }; };
  visit_plan(plan, put_into(json));
  json["segments"] = Json::array();
  for (const auto& segment : plan.segments) {
    auto& entry = json["segments"].emplace_back(Json::object());
    visit_segment(segment, put_into(entry));
    entry["grain"] = grain_name(segment.grain);
  }
  json["buffers"] = Json::array();
  for (const auto& buffer : plan.buffers) {
    auto& entry = json["buffers"].emplace_back(Json::object());
    visit_buffer(buffer, put_into(entry));
    entry["layout"] = layout_name(buffer.layout);
  }
  return json.dump();
}

Plan plan_from_json(std::string_view text) {
  Plan plan;
  try {
    const auto json = Json::parse(text);
    const auto take_from = [](const Json& object) {
      return [&object](const char* key, auto& value) { object.at(key).get_to(value); };
    };
    visit_plan(plan, take_from(json));
    for (const auto& entry : json.at("segments")) {
      visit_segment(plan.segments.emplace_back(), take_from(entry));
      plan.segments.back().grain = parse_grain(entry.at("grain").get<std::string>());
    }
    for (const auto& entry : json.at("buffers")) {
      visit_buffer(plan.buffers.emplace_back(), take_from(entry));
      plan.buffers.back().layout = parse_layout(entry.at("layout").get<std::string>());
    }
  } catch (const Json::exception& error) {
    throw InputError(std::string("[plan] not a plan's JSON: ") + error.what());
  }
  return plan;
}

std::string cost_to_json(const Cost& cost) {
  Json json{{"macs", cost.macs},
            {"params", cost.params},
            {"sram_bytes", cost.sram_bytes},
            {"activation_bytes", cost.activation_bytes},
            {"scratch_bytes", cost.scratch_bytes},
            {"act_bytes", cost.act_bytes},
            {"flash_bytes", cost.flash_bytes},
            {"lower_bound_bytes", cost.lower_bound_bytes},
            {"instructions", cost.instructions},
            {"latency_us", cost.latency_us},
            {"peak_operator", cost.peak_operator},
            {"chosen", cost.chosen}};
  auto& layers = json["layers"] = Json::array();
  for (const auto& layer : cost.layers) {
    layers.push_back({{"op", layer.op},
                      {"macs", layer.macs},
                      {"sram_bytes", layer.sram_bytes},
                      {"flash_bytes", layer.flash_bytes},
                      {"instructions", layer.instructions},
                      {"latency_us", layer.latency_us}});
  }
  return json.dump();
}

}  // namespace tinynas
